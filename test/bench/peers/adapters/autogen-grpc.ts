/** AutoGen across processes, by gRPC. */
import type { OpenPeer } from "../peer.ts";
import { openAutogen } from "./autogen.ts";

export const open: OpenPeer = () => openAutogen("grpc");
