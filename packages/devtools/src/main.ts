#!/usr/bin/env node
/** The `troupe` command: checks the Node version before anything newer is loaded. */
import module from "node:module";

const nodeMajorMin = 24;
const nodeMajor = Number(process.versions.node.split(".")[0]);

if (nodeMajor < nodeMajorMin) {
  console.error(
    `troupe needs Node ${nodeMajorMin} or newer; this is Node ${process.versions.node}.`,
  );
  process.exitCode = 1;
} else {
  // The second start takes half the time of the first one.
  module.enableCompileCache();
  const { main } = await import("./program.ts");
  await main(process.argv);
}
