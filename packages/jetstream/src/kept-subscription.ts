/**
 * Subscriptions of the connection's whole life. The server closes one when its user loses the right
 * to it, also for a moment, as while permissions are reloaded; it is then made again every second
 * until the server takes it. That the right is missing is told by the connection's own watch for
 * denials.
 */
import type { NatsConnection, SubscriptionOptions } from "@nats-io/nats-core";

export interface KeptSubscription {
  unsubscribe(): void;
}

type Callback = NonNullable<SubscriptionOptions["callback"]>;

/** Subscribe, and again whenever the server has closed the subscription. */
export function keepSubscribed(
  connection: NatsConnection,
  subject: string,
  callback: Callback,
): KeptSubscription {
  let again: NodeJS.Timeout | undefined;
  let isWanted = true;
  const make = (): ReturnType<NatsConnection["subscribe"]> => {
    const made = connection.subscribe(subject, { callback });
    void made.closed.then(() => {
      if (!isWanted || connection.isClosed() || connection.isDraining()) return;
      again = setTimeout(() => {
        if (isWanted && !connection.isClosed()) subscription = make();
      }, againMs);
      // It must not keep a process alive.
      again.unref();
    });
    return made;
  };
  let subscription = make();
  return {
    unsubscribe() {
      isWanted = false;
      clearTimeout(again);
      subscription.unsubscribe();
    },
  };
}

const againMs = 1000;
