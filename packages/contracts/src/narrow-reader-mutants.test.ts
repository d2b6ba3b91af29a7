/** Logs that leave out what a reader asked for, or say too much about it. */
import { noticesMutants } from "./mutant.ts";

noticesMutants([
  {
    does: "leaves out the topics of a reader that also asks for types",
    failsAt:
      "a reader for some types and topics gets all of theirs in one order, among many others",
    mutate: (log) => ({
      read: (request) =>
        log.read(request.types === undefined ? request : { ...request, topics: [] }),
    }),
  },
  {
    does: "reads types and topics side by side, each in its own order",
    failsAt:
      "a reader for some types and topics gets all of theirs in one order, among many others",
    mutate: (log) => ({
      read: (request) => {
        const topics = log.read({ ...request, types: [] });
        const types = log.read({ ...request, topics: [] });
        return {
          grant: (...credit) => types.grant(...credit),
          stop: async () => void (await Promise.all([topics.stop(), types.stop()])),
        };
      },
    }),
  },
  {
    does: "says that it passed what it has not read",
    failsAt: "a reader for some types says how far there is nothing more of theirs, and no further",
    mutate: (log) => ({
      read: (request) =>
        log.read({
          ...request,
          onPassed: (position) => request.onPassed?.(position + 1000),
        }),
    }),
  },
  {
    does: "never says what it passed",
    failsAt: "a reader for some types says how far there is nothing more of theirs, and no further",
    mutate: (log) => ({ read: (request) => log.read({ ...request, onPassed: undefined }) }),
  },
  {
    does: "reads only for types that are there when it begins",
    failsAt: "a reader for a type that does not exist yet gets its first input",
    mutate: (log) => ({ read: (request) => log.read({ ...request, types: ["other-1"] }) }),
  },
]);
