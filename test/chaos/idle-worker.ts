/** A worker process that hosts nothing. It stops on SIGTERM, or when its parent is gone. */
process.once("SIGTERM", () => process.exit(0));
process.once("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
