/** Moleculer channels with as many messages in flight as there are keys. */
import type { OpenPeer } from "../peer.ts";
import { openMoleculer } from "./channels.ts";

export const open: OpenPeer = (surroundings) => openMoleculer(surroundings, 1000);
