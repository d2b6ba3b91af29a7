/** AutoGen in one process. */
import type { OpenPeer } from "../peer.ts";
import { openAutogen } from "./autogen.ts";

export const open: OpenPeer = () => openAutogen("local");
