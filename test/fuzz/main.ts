#!/usr/bin/env node
/**
 * `npm run fuzz`: a stranger sends whatever comes to his mind, for as long as it is told to. Ends
 * with exit code 1 at the first round after which something is wrong; the seed repeats what was
 * sent.
 */
import { parseArgs } from "node:util";

import { fuzz, type FuzzSummary } from "./fuzz-run.ts";

const help = `npm run fuzz [-- options]

  --seed N      what is sent, drawn unless told
  --messages N  how many, for ever unless told
  --help        this text
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      messages: { type: "string", default: String(Number.MAX_SAFE_INTEGER) },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const messages = Number(values.messages);
  if (values.help || !Number.isSafeInteger(seed) || !Number.isSafeInteger(messages)) {
    (values.help ? process.stdout : process.stderr).write(help);
    return values.help ? 0 : 2;
  }
  const { breaches } = await fuzz({ seed, messages, onRound: show });
  for (const breach of breaches.slice(0, 20)) process.stderr.write(`${breach}\n`);
  return breaches.length === 0 ? 0 : 1;
}

function show({ breaches, ...summary }: FuzzSummary): void {
  process.stdout.write(`${JSON.stringify({ ...summary, breaches: breaches.length })}\n`);
}

process.exitCode = await main();
