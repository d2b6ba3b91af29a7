/** Completion for bash: candidates stand in the script, so nothing is started while one types. */
import { valuedOptions, type CompletedCommand } from "./command-tree.ts";

export function bashScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]));
  const cases = commands.map(({ options, path, subcommands }) =>
    [
      `    "${path}")`,
      `      words="${subcommands.map(({ name }) => name).join(" ")}"`,
      `      options="${options.map(({ long }) => long).join(" ")}" ;;`,
    ].join("\n"),
  );
  return `# Completion of the troupe command for bash.
_troupe() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local path="" words="" options="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i-1]}" in
      ${[...valuedOptions(commands, "text"), ...valuedOptions(commands, "file")].join("|")}) continue ;;
    esac
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${paths.join("|")}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$prev" in
    ${valuedOptions(commands, "text").join("|")}) COMPREPLY=(); compopt +o default 2>/dev/null; return ;;
    ${valuedOptions(commands, "file").join("|")}) COMPREPLY=(); return ;;
  esac
  case "$path" in
${cases.join("\n")}
  esac
  if [[ $cur == -* ]]; then words=$options; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _troupe troupe
`;
}
