/**
 * No server outlives its parent. Node cannot ask the kernel to kill a child when the parent dies,
 * so a shell does: it forks a watchdog that reads from a pipe only the parent holds open, then
 * becomes the server by `exec`. When the parent dies, by whatever signal, the kernel closes the
 * pipe, the read ends, and the watchdog stops the server.
 *
 * 1. The watchdog exists before the server does: there is no moment without it.
 * 2. `exec` keeps the process id: the child that node sees is the server, with its exit code.
 * 3. The server does not inherit the pipe, nor does any other child of the parent.
 * 4. After the server has exited, the parent writes `released`, and the watchdog harms nobody.
 *
 * It costs one sleeping /bin/sh. In a container whose first process is node, nobody collects the
 * shell after it has ended, and its entry stays in the process table. On Windows there is no such
 * shell: a server is stopped there when its parent exits by itself, and survives a parent that is
 * terminated.
 */

/** Word that the parent writes to the pipe once the server has exited. */
export const releaseWord = "released\n";

/** The descriptor on which the shell finds the pipe. */
export const watchdogDescriptor = 3;

/** Arguments: the folder to remove after an abandoned server ("" for none), then the command. */
const script = `
server=$$
folder=$1
shift

# A server that has ended but was not collected by anybody is not alive.
alive() {
  kill -0 "$server" || return 1
  case $(cat "/proc/$server/stat") in *") Z "*) return 1 ;; esac
}

(
  trap '' HUP INT TERM
  read -r word <&3
  [ "$word" = released ] && exit 0
  kill -TERM "$server"
  tries=0
  while [ "$tries" -lt 50 ] && alive; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL "$server"
  [ -n "$folder" ] && rm -rf -- "$folder"
) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-
`;

/** The command that runs `command` under a watchdog; descriptor 3 has to be the pipe. */
export function withWatchdog(
  command: readonly string[],
  folderToRemove: string | undefined,
): readonly string[] {
  return ["/bin/sh", "-c", script, "nats-server-watchdog", folderToRemove ?? "", ...command];
}
