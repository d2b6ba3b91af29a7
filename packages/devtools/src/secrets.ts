/**
 * Passwords and tokens of the command line: not in what is said, and not in the list of processes.
 */

/** The text with the credentials of every address in it replaced. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi, "$1***@");
}

/** The command line as it may be shown. */
export function shownCommandLine(words: readonly string[]): string {
  return words.map((word, index) => shownWord(word, words[index - 1] ?? "")).join(" ");
}

/**
 * Other users see the arguments of a process. Ours are replaced as soon as they were read, where
 * they hold a secret and the system lets us.
 */
export function hideSecrets(argv: readonly string[]): void {
  const words = argv.slice(2);
  const shown = shownCommandLine(words);
  if (shown !== words.join(" ")) process.title = `troupe ${shown}`;
}

function shownWord(word: string, before: string): string {
  const [, option, value] = /^(--[a-z]+)=(.*)$/s.exec(word) ?? [undefined, before, word];
  if (option === "--password" || option === "--token")
    return word === value ? hidden : `${option}=${hidden}`;
  const attached = /^-s(?=.)/.exec(word)?.[0] ?? "";
  if (option !== "--server" && option !== "-s" && attached === "") return withoutCredentials(word);
  const servers = word.slice(attached.length);
  // With or without a scheme, several of them, and whatever characters the password has.
  const shown = servers.replaceAll(
    /(^--server=|^|,|:\/\/)(?!--server=)((?!:\/\/)[^,])*@/g,
    `$1${hidden}@`,
  );
  return attached + shown;
}

const hidden = "***";
