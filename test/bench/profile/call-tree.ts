/**
 * A CPU profile as a tree of calls with the time spent in each, and what that time goes to.
 *
 * The profile is what V8's sampling profiler writes: nodes, and for each sample the node it hit and
 * the microseconds since the sample before it.
 */
import type { Profiler } from "node:inspector";

export interface Call {
  /** Function, file and line. */
  readonly name: string;
  readonly area: Area;
  /** Microseconds in the function itself. */
  selfUs: number;
  /** Microseconds in it and in what it calls. */
  totalUs: number;
  readonly children: Map<string, Call>;
}

/** Owner of a function's code. */
export type Area =
  | "engine"
  | "log"
  | "NATS client"
  | "msgpack"
  | "socket writes"
  | "garbage collection"
  | "Node"
  | "benchmark";

/** The busy time of a profile: waiting is left out. */
export function callTree({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Call {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map<number, number>();
  for (const { children = [], id } of nodes) for (const child of children) callers.set(child, id);
  const selfUs = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const root: Call = callNamed("all", "Node");
  for (const [id, us] of selfUs) {
    const stack = stackOf(id, byId, callers);
    if (idleNames.has(stack.at(-1)?.functionName ?? "")) continue;
    let call = root;
    call.totalUs += us;
    for (const frame of stack) {
      call = childOf(call, frame);
      call.totalUs += us;
    }
    call.selfUs += us;
  }
  return root;
}

/** Microseconds by area, the largest first. */
export function byArea(root: Call): readonly (readonly [Area, number])[] {
  const sums = new Map<Area, number>();
  visit(root, ({ area, selfUs }) => sums.set(area, (sums.get(area) ?? 0) + selfUs));
  return [...sums].filter(([, us]) => us > 0).toSorted(([, a], [, b]) => b - a);
}

/**
 * Microseconds that functions themselves took, wherever they were called from; the largest first.
 */
export function byFunction(root: Call): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  visit(root, ({ name, selfUs }) => sums.set(name, (sums.get(name) ?? 0) + selfUs));
  return [...sums].filter(([, us]) => us > 0).toSorted(([, a], [, b]) => b - a);
}

type Frame = Profiler.ProfileNode["callFrame"];

const idleNames: ReadonlySet<string> = new Set(["(idle)"]);

/** From the outermost call to the innermost, without the root. */
function stackOf(
  id: number,
  byId: ReadonlyMap<number, Profiler.ProfileNode>,
  callers: ReadonlyMap<number, number>,
): readonly Frame[] {
  const stack: Frame[] = [];
  for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
    const frame = byId.get(at)?.callFrame;
    if (frame !== undefined && frame.functionName !== "(root)") stack.push(frame);
  }
  return stack.toReversed();
}

function childOf(call: Call, frame: Frame): Call {
  const name = nameOf(frame);
  const known = call.children.get(name);
  if (known !== undefined) return known;
  const child = callNamed(name, areaOf(frame, call.area));
  call.children.set(name, child);
  return child;
}

function callNamed(name: string, area: Area): Call {
  return { name, area, selfUs: 0, totalUs: 0, children: new Map() };
}

function nameOf({ functionName, lineNumber, url }: Frame): string {
  const called = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return called;
  return `${called} ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
}

const socketWrites = /^write(v|Buffer|Utf8String|Latin1String|AsciiString)$/;

/** Owner of a frame; native code belongs to who called it. */
function areaOf({ functionName, url }: Frame, caller: Area): Area {
  if (functionName === "(garbage collector)") return "garbage collection";
  if (socketWrites.test(functionName)) return "socket writes";
  if (url.includes("/msgpackr/") || url.includes("/core/src/wire/")) return "msgpack";
  if (url.includes("/@nats-io/")) return "NATS client";
  if (url.includes("/packages/core/")) return "engine";
  if (url.includes("/packages/jetstream/")) return "log";
  if (url.includes("/test/bench/")) return "benchmark";
  return url.startsWith("node:") ? "Node" : caller;
}

function visit(call: Call, see: (call: Call) => void): void {
  see(call);
  for (const child of call.children.values()) visit(child, see);
}
