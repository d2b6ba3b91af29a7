/** Completion for zsh, with descriptions. */
import { valuedOptions, type CompletedCommand, type CompletedWord } from "./command-tree.ts";

export function zshScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]));
  const cases = commands.map(({ options, path, subcommands }) => {
    const named = options.map(({ description, long }) => ({ name: long, description }));
    return [
      `    "${path}")`,
      `      subcommands=(${entries(subcommands)})`,
      `      options=(${entries(named)}) ;;`,
    ].join("\n");
  });
  return `#compdef troupe
# Completion of the troupe command for zsh.
_troupe() {
  local -a subcommands options
  local at="" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$words[i-1]" in
      (${[...valuedOptions(commands, "text"), ...valuedOptions(commands, "file")].join("|")}) continue ;;
    esac
    case "\${at:+$at }$words[i]" in
      (${paths.join("|")}) at="\${at:+$at }$words[i]" ;;
    esac
  done
  case "$words[CURRENT-1]" in
    (${valuedOptions(commands, "text").join("|")}) return ;;
    (${valuedOptions(commands, "file").join("|")}) _files; return ;;
  esac
  case "$at" in
${cases.join("\n").replaceAll(/^ {4}"/gm, '    ("')}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then _describe option options
  elif (( \${#subcommands} )); then _describe command subcommands
  else _files; fi
}
if [[ "$funcstack[1]" == _troupe ]]; then _troupe "$@"; else compdef _troupe troupe; fi
`;
}

function entries(words: readonly CompletedWord[]): string {
  return words.map(({ description, name }) => quoted(`${name}:${description}`)).join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
