/**
 * Moleculer channels as they are by default: one message at a time, which is also their only order.
 */
import type { OpenPeer } from "../peer.ts";
import { openMoleculer } from "./channels.ts";

export const open: OpenPeer = (surroundings) => openMoleculer(surroundings, 1);
