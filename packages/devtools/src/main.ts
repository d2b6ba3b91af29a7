#!/usr/bin/env node
/** The `troupe` command. */
export {};
