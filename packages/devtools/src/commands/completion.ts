/** `troupe completion`: a script with which a shell completes commands and options. */
import { Argument } from "commander";
import type { Command } from "commander";
import { bashScript } from "../completion/bash-script.ts";
import { commandTree } from "../completion/command-tree.ts";
import type { CompletedCommand } from "../completion/command-tree.ts";
import { fishScript } from "../completion/fish-script.ts";
import { zshScript } from "../completion/zsh-script.ts";
import { addExamples } from "../help-text.ts";
import type { Run } from "../run.ts";

type Shell = "bash" | "fish" | "zsh";

const scripts: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> =
  Object.freeze({ bash: bashScript, fish: fishScript, zsh: zshScript });

export function addCompletion(program: Command, run: Run): void {
  const command = program
    .command("completion")
    .summary("completion for bash, zsh or fish")
    .description(
      "Print a script with which the shell completes commands and options. It holds all of them, " +
        "so print it again after an update; nothing is started while you type.",
    )
    .addArgument(new Argument("<shell>", "whose script").choices(["bash", "zsh", "fish"]))
    .action((shell: Shell) => {
      run.terminal.printLines(scripts[shell](commandTree(program)).trimEnd());
    });
  addExamples(command, [
    [`echo 'eval "$(troupe completion bash)"' >> ~/.bashrc`, "bash"],
    [`echo 'eval "$(troupe completion zsh)"' >> ~/.zshrc`, "zsh, after compinit"],
    ["troupe completion fish > ~/.config/fish/completions/troupe.fish", "fish"],
  ]);
}
