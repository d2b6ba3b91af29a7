/** A worker process of the demo: hosts all agents of the desk until it is told to stop. */
import { connect } from "@troupe/jetstream";
import * as agents from "../agents/index.ts";

const [id = "worker", servers = "", namespace = ""] = process.argv.slice(2);
const troupe = await connect({ servers, namespace, name: id });
troupe.inspect((event) => {
  if (event.kind === "fault") process.stderr.write(`${id}: ${JSON.stringify(event)}\n`);
});
await troupe.work(Object.values(agents), { id, version: "demo" });
process.send?.("ready");
process.once("SIGTERM", () => {
  void troupe.close().then(() => process.exit(0));
});
// Without its parent a worker of the demo has nothing to do.
process.once("disconnect", () => process.exit(0));
