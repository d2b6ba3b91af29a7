/** Completion for fish, with descriptions. */
import { valuedOptions, type CompletedCommand, type CompletedOption } from "./command-tree.ts";

export function fishScript(commands: readonly CompletedCommand[]): string {
  const valued = [...valuedOptions(commands, "text"), ...valuedOptions(commands, "file")];
  const paths = commands.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]));
  const lines = commands.flatMap(({ options, path, subcommands }) => {
    const at = `complete -c troupe -n '__troupe_at "${path}"'`;
    return [
      ...subcommands.map(
        ({ description, name }) => `${at} -f -a ${name} -d ${quoted(description)}`,
      ),
      ...options.map((option) => `${at} ${optionArguments(option)}`),
    ];
  });
  return `# Completion of the troupe command for fish.
function __troupe_at
  set -l at ""
  set -l before ""
  for word in (commandline -opc)[2..-1]
    if not contains -- "$before" ${valued.join(" ")}
      set -l next (string trim -- "$at $word")
      if contains -- "$next" ${paths.join(" ")}
        set at $next
      end
    end
    set before $word
  end
  test "$at" = "$argv[1]"
end
${lines.join("\n")}
`;
}

function optionArguments({ description, long, short, value }: CompletedOption): string {
  const kind = { none: [], file: ["-r", "-F"], text: ["-x"] }[value];
  const names = [`-l ${long.replace(/^--/, "")}`, ...(short ? [`-s ${short.slice(1)}`] : [])];
  return [...names, ...kind, `-d ${quoted(description)}`].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
