/** The documentation says what the code does: snippets are files, and the files run. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { startNatsServer } from "@troupe/jetstream/server";
import { expect, it } from "vitest";

const run = promisify(execFile);
const root = new URL("../", import.meta.url);

async function snippets(): Promise<readonly { readonly file: string; readonly code: string }[]> {
  const text = await readFile(new URL("README.md", root), "utf8");
  return [...text.matchAll(/```ts file=(\S+)\n(.*?)```/gs)].map(([, file = "", code = ""]) => ({
    file,
    code,
  }));
}

it("shows in the README exactly what is in the tutorial's files", async () => {
  const shown = await snippets();
  expect(shown.length).toBeGreaterThan(0);
  for (const { file, code } of shown) {
    expect(code).toBe(await readFile(new URL(file, root), "utf8"));
  }
});

it("runs the first agent of the README", async () => {
  await using server = await startNatsServer();
  const file = new URL("packages/examples/tutorial/01-first-agent.ts", root);
  const { stdout } = await run(process.execPath, ["--conditions=troupe-source", file.pathname], {
    env: { ...process.env, TROUPE_NATS_URL: server.url },
  });
  expect(stdout).toBe("alice has 5\n1 deposit { balance: 5 }\n");
});

it("runs the agents that work together", async () => {
  await using server = await startNatsServer();
  const file = new URL("packages/examples/tutorial/02-orders.ts", root);
  const { stdout } = await run(process.execPath, ["--conditions=troupe-source", file.pathname], {
    env: { ...process.env, TROUPE_NATS_URL: server.url },
  });
  expect(stdout).toBe("[ '2 lamp are yours, 8 left' ]\n");
});

it("runs the pipeline of the tutorial", async () => {
  await using server = await startNatsServer();
  const file = new URL("packages/examples/tutorial/03-pipeline.ts", root);
  const { stdout } = await run(process.execPath, ["--conditions=troupe-source", file.pathname], {
    env: { ...process.env, TROUPE_NATS_URL: server.url },
  });
  expect(stdout).toBe("{ lines: 2, best: 6 }\n{ lines: 2, best: 6 }\n");
});

it("declares the first agent in fewer than 15 lines and without a type annotation", async () => {
  const [first] = await snippets();
  const declaration = /export const account = .*?;\n(?=\n)/s.exec(first?.code ?? "")?.[0] ?? "";
  expect(declaration).not.toBe("");
  expect(declaration.split("\n").length).toBeLessThan(15);
  expect(declaration).not.toMatch(/: (?:string|number|unknown)|<[A-Z]/);
});
