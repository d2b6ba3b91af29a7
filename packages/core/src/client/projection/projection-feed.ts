/** Events of a projection in the inspection feed, without its name. */
import type { InspectionEvent, InspectionFeed } from "../../engine/inspection/inspection-feed.ts";
import type { ProjectionDefinition } from "./projection.ts";

type WithoutName<Event> = Event extends { readonly projection: string }
  ? Omit<Event, "projection">
  : never;

export type ProjectionEvent = WithoutName<InspectionEvent>;

/** Emits events with the projection's name; a failure is a fault as well. */
export type EmitProjectionEvent = (event: ProjectionEvent) => void;

export function projectionFeed(
  feed: InspectionFeed,
  { name }: ProjectionDefinition,
): EmitProjectionEvent {
  return (event) => {
    const failure = "failure" in event ? event.failure : undefined;
    if (failure !== undefined) feed.emit({ kind: "fault", what: `projection ${name}`, failure });
    if (feed.active) feed.emit({ ...event, projection: name });
  };
}
