/** Meanings of the command's exit status. */

interface ExitCodes {
  readonly done: number;
  /** The operation was understood and failed. */
  readonly failed: number;
  /** The command line is wrong; nothing was done. */
  readonly usage: number;
  /** No server answers. */
  readonly unreachable: number;
  /** Ended by Ctrl-C before it was done. */
  readonly interrupted: number;
}

/** Exit codes, as the program's help lists them. */
export const exitCode: ExitCodes = Object.freeze({
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  interrupted: 130,
});
