/**
 * Asks every agent for a report. An answer comes after everything sent before, so afterwards all is
 * handled; and it is in the journal, where the checks find it.
 *
 * A slow machine is no fault: an agent is asked again as long as the journals grow.
 */
import type { Findings } from "./findings.ts";
import type { StallWatch } from "./stall-watch.ts";

interface Asked {
  readonly type: string;
  readonly keys: readonly string[];
  readonly ask: (key: string) => Promise<unknown>;
  readonly watch: Pick<StallWatch, "count">;
  readonly findings: Findings;
}

export async function reported({ ask, findings, keys, type, watch }: Asked): Promise<void> {
  const one = async (key: string): Promise<void> => {
    for (;;) {
      const before = await watch.count();
      try {
        await ask(key);
        return;
      } catch (thrown) {
        if ((await watch.count()) > before) continue;
        findings.add("wrong", `no report of ${type}/${key}: ${String(thrown)}`);
        return;
      }
    }
  };
  await Promise.all(keys.map(one));
}

/** Time that an agent may take to answer while no journal grows, in milliseconds. */
export const askMs = 60_000;
