/** Logs that break the rules of reading, following, announcing and closing. */
import type { Input, FollowRequest, Log, LogEntry, Reader, ReadRequest } from "@troupe/core/log";
import { noticesMutants, type Mutant } from "./mutant.ts";

const mutants: readonly Mutant[] = [
  {
    does: "hands an input over twice",
    failsAt: "a reader hands over its partition in log order, each input once",
    mutate: (log) => ({
      read: (request) =>
        readWith(log, request, (input) => (input.position % 7 ? [input] : [input, input])),
    }),
  },
  {
    does: "loses an input",
    failsAt: "a reader hands over its partition in log order, each input once",
    mutate: (log) => ({
      read: (request) => readWith(log, request, (input) => (input.position % 7 ? [input] : [])),
    }),
  },
  {
    does: "swaps neighbours",
    failsAt: "what turns send and what clients send come in one order",
    mutate: (log) => ({ read: (request) => readSwapped(log, request) }),
  },
  {
    does: "gives each input to one reader only",
    failsAt: "two readers of one partition each see every input",
    mutate: (log) => {
      let readers = 0;
      return {
        read: (request) => {
          const parity = readers++ % 2;
          return readWith(log, request, (input) => (input.position % 2 === parity ? [input] : []));
        },
      };
    },
  },
  {
    does: "starts at the beginning whatever was asked",
    failsAt: "a reader starts after its position",
    mutate: (log) => ({ read: (request) => log.read({ ...request, after: 0 }) }),
  },
  {
    does: "ignores credit",
    failsAt: "a reader never goes beyond its credit and goes on when more is granted",
    mutate: (log) => ({ read: (request) => log.read({ ...request, credit: 1000 }) }),
  },
  {
    does: "ignores the credit in bytes",
    failsAt: "I7: a reader never goes beyond its credit in bytes, and a larger input comes alone",
    mutate: (log) => ({
      read: (request) => log.read({ ...request, creditBytes: undefined }),
    }),
  },
  {
    does: "grants more than was asked",
    failsAt: "a reader never goes beyond its credit and goes on when more is granted",
    mutate: (log) => ({
      read: (request) => {
        const reader = log.read(request);
        return {
          grant: (count, bytes) => reader.grant(count + 1, bytes),
          stop: () => reader.stop(),
        };
      },
    }),
  },
  {
    does: "ignores a grant",
    failsAt: "credit granted one by one while inputs are handed over loses nothing",
    mutate: (log) => ({
      read: (request) => ({ ...log.read(request), grant: () => undefined }),
    }),
  },
  {
    does: "does not stop",
    failsAt: "a stopped reader hands over nothing more",
    mutate: (log) => ({
      read: (request) => {
        const reader = log.read(request);
        return { grant: (count, bytes) => reader.grant(count, bytes), stop: async () => undefined };
      },
    }),
  },
  {
    does: "hides faults",
    failsAt:
      "a key that is not its own encoding is an unroutable message, in no partition, and harms nobody",
    mutate: (log) => ({
      read: (request) => readWith(log, request, (input) => [{ ...input, fault: undefined }]),
    }),
  },
  {
    does: "hands unroutable messages over in a partition too",
    failsAt: "unroutable messages come on their own source only, and nothing else does",
    mutate: (log) => ({
      read: (request) => {
        if (request.source === 0) log.read({ ...request, source: "unroutable" });
        return log.read(request);
      },
    }),
  },
  {
    does: "starts again from the beginning after a restart",
    failsAt: "a reader continues over a restart without loss or duplicates",
    mutate: (log) => ({
      read: (request) => {
        const reader = log.read(request);
        log.onStatus((status) => void (status === "connected" && log.read(request)));
        return reader;
      },
    }),
  },
  {
    does: "gives up an accept when the broker is away",
    failsAt: "accept tries again through a restart and stores once",
    mutate: (log) => ({
      accept: async (draft) => {
        await log.flush();
        return log.accept(draft);
      },
    }),
  },
  {
    does: "says nothing about a restart",
    failsAt: "a restart is told as disconnected, then connected",
    mutate: () => ({ onStatus: () => () => undefined }),
  },
  {
    does: "follows from the beginning",
    failsAt: "following starts at its position",
    mutate: (log) => ({ follow: (request) => log.follow({ ...request, from: 1 }) }),
  },
  {
    does: "shows old entries as new",
    failsAt: "following what is new does not show what is old",
    mutate: (log) => ({ follow: (request) => log.follow({ ...request, from: 1 }) }),
  },
  {
    does: "takes an empty filter for none",
    failsAt: "following filters by topic and by agent type, each on its own",
    mutate: (log) => ({
      follow: (request) => {
        const types = request.types?.length === 0 ? undefined : request.types;
        return log.follow({ ...request, types });
      },
    }),
  },
  {
    does: "waits for an entry that the filter shows",
    failsAt: "following until now ends although everything at the end is filtered out",
    mutate: (log) => ({ follow: (request) => followToShownEnd(log, request) }),
  },
  {
    does: "forgets other floors",
    failsAt: "floors are saved, replaced one by one, and read by others",
    mutate: (log) => ({ floors: async () => (await log.floors()).slice(0, 3) }),
  },
  {
    does: "keeps the first manifest",
    failsAt: "the last manifest of a type is read by everybody",
    mutate: (log) => ({
      register: async (manifest) =>
        (await log.manifest(manifest.type)) ?? (await log.register(manifest)),
    }),
  },
  {
    does: "replaces what a newer worker registered",
    failsAt:
      "I15: a manifest only grows, whoever registers an older one, until names are forgotten",
    mutate: (log) => ({
      register: async (manifest) => {
        const known = await log.manifest(manifest.type);
        if (known !== undefined) await log.forget(manifest.type, known);
        return log.register(manifest);
      },
    }),
  },
  {
    does: "says that something lies everywhere",
    failsAt: "I16: what lies at a position is told with its time, whatever it is, and nothing else",
    mutate: (log) => ({ at: async (position) => (await log.at(position)) ?? log.at(position - 1) }),
  },
  {
    does: "says its own time instead of the log's",
    failsAt: "I16: a mark fits while what it names is there",
    mutate: (log) => ({
      at: async (position) => {
        const found = await log.at(position);
        return found && { ...found, storedAtMs: 1 };
      },
    }),
  },
  {
    does: "is another log for every connection",
    failsAt: "I16: a log ends where the last thing was stored, and is one log for everybody",
    mutate: (log) => {
      const own = `log-${Math.random()}`;
      return { end: async () => ({ ...(await log.end()), log: own }) };
    },
  },
  {
    does: "announces nothing",
    failsAt: "presence is heard by others and by oneself until one stops listening",
    mutate: () => ({ announce: () => undefined }),
  },
  {
    does: "listens for ever",
    failsAt: "a listener that stopped hears no replies",
    mutate: (log) => ({
      onReply: (listener) => {
        log.onReply(listener);
        return () => undefined;
      },
    }),
  },
  {
    does: "gives the same reply address again",
    failsAt: "every reply address is another one",
    mutate: (log) => {
      const address = log.replyAddress();
      return { replyAddress: () => address };
    },
  },
  {
    does: "does not close",
    failsAt: "every call of a closed log fails with LogClosedError",
    mutate: () => ({ close: async () => undefined }),
  },
  {
    does: "says closed each time",
    failsAt: "a log is closed once, and says so",
    mutate: (log) => ({
      onStatus: (listener) => {
        log.onStatus(listener);
        return log.onStatus(listener);
      },
    }),
  },
];

noticesMutants(mutants);

/** A reader that hands over what `change` makes of each input. */
function readWith(
  log: Log,
  request: ReadRequest,
  change: (input: Input) => readonly Input[],
): Reader {
  return log.read({
    ...request,
    onInput: (input) => {
      for (const changed of change(input)) request.onInput(changed);
    },
  });
}

function readSwapped(log: Log, request: ReadRequest): Reader {
  let held: Input | undefined;
  return readWith(log, request, (input) => {
    if (held === undefined) {
      held = input;
      return [];
    }
    const pair = [input, held];
    held = undefined;
    return pair;
  });
}

async function* followToShownEnd(log: Log, request: FollowRequest): AsyncGenerator<LogEntry> {
  let shown = 0;
  for await (const entry of log.follow({ ...request, untilNow: false })) {
    yield entry;
    if (++shown === 3) return;
  }
}
