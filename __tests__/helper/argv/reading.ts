/**
 * How ssh reads its arguments, in TypeScript: the second reading, with which that of helper/ssm-ssh is compared. Pure.
 *
 * @source OpenSSH's ssh.c (main), readconf.c (process_config_line), misc.c (strdelim, argv_split, a2port, parse_uri)
 */

export interface Reading {
  /** As it was typed; undefined: there is none. */
  readonly target: string | undefined;
  readonly host: string;
  /** undefined: ssh's default. */
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly command: readonly string[];
  /** -G */
  readonly isProbe: boolean;
  /** ssh prints an error, an option is not known to every version of ssh, or a keyword has a quote inside. */
  readonly isOdd: boolean;
}

const flagLetters = '1246AaCfGgKkMNnqsTtVvXxYy';
const valueLetters = 'BbcDEeFIiJLlmOopQRSWw';

class Reader {
  target: string | undefined;
  host = '';
  port: number | undefined;
  user: string | undefined;
  isProbe = false;
  isOdd = false;

  /** getopt(3), which stops at the first word that is no option. */
  readOptions(words: string[]): { readonly last: string } {
    let last = '';
    for (let word = words[0]; word?.startsWith('-') && word !== '-'; word = words[0]) {
      last = words.shift() ?? '';
      if (word === '--') break;
      last = this.#readWord(word.slice(1), words) ?? last;
    }
    return { last };
  }

  /** @returns the word that was the value of the option */
  #readWord(letters: string, words: string[]): string | undefined {
    for (let at = 0; at < letters.length; at += 1) {
      const letter = letters.charAt(at);
      if (letter === 'G') this.isProbe = true;
      if (flagLetters.includes(letter)) continue;
      if (!valueLetters.includes(letter)) {
        this.isOdd = true;
        continue;
      }
      const joined = letters.slice(at + 1);
      const value = joined === '' ? words.shift() : joined;
      if (value === undefined) this.isOdd = true;
      this.#note(letter, value ?? '');
      return joined === '' ? value : undefined;
    }
    return undefined;
  }

  #note(letter: string, value: string): void {
    if (letter === 'l') this.user ??= value;
    if (letter === 'p') this.#setPort(value);
    if (letter === 'o') this.#noteSetting(value);
  }

  #setPort(text: string): void {
    const port = portNumber(text);
    if (port === undefined && this.port === undefined) this.isOdd = true;
    this.port ??= port;
  }

  #noteSetting(line: string): void {
    const parts = splitSetting(line);
    if (parts === undefined) {
      this.isOdd = true;
      return;
    }
    const [keyword, value, isWhole] = parts;
    if (['port', 'user'].includes(keyword) && !isWhole) this.isOdd = true;
    this.isOdd ||= hasOddQuotes(line);
    if (keyword === 'port') this.#setPort(value);
    if (keyword === 'user') this.user ??= value;
  }

  readTarget(target: string): void {
    this.target = target;
    const url = /^ssh:\/\/(?:([^@]*)@)?(\[[^\]]*\]|[^:/@]*)(?::([^/]*))?\/?$/s.exec(target);
    if (target.startsWith('ssh://')) {
      const [, user, host = '', port] = url ?? [];
      if (host === '') this.isOdd = true;
      this.host = host.replace(/^\[(.*)\]$/s, '$1').replace(/\.$/, '');
      if (user !== undefined) this.user ??= decoded(user.replace(/;.*$/s, ''));
      if (port && portNumber(port) === undefined) this.isOdd = true;
      if (port) this.#setPort(port);
      return;
    }
    const at = target.lastIndexOf('@');
    this.host = target.slice(at + 1);
    if (at >= 0) this.user ??= target.slice(0, at);
  }
}

export function readArguments(args: readonly string[]): Reading {
  const words = [...args];
  const reader = new Reader();
  const { last } = reader.readOptions(words);
  const target = words.shift();
  if (target !== undefined) {
    reader.readTarget(target);
    // ssh.c looks at the word before the host, also if it is the value of an option.
    if (last !== '--') reader.readOptions(words);
  }
  const { host, port, user, isProbe, isOdd } = reader;
  return { target: reader.target, host, port, user, command: words, isProbe, isOdd };
}

/** Names of services that the machine may or may not know are left out. */
function portNumber(text: string): number | undefined {
  const named: Readonly<Record<string, number>> = { ssh: 22, https: 443 };
  const number = named[text] ?? (/^\s*\+?\d+$/.test(text) ? Number(text) : 0);
  return number >= 1 && number <= 65_535 ? number : undefined;
}

function decoded(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** A quote inside the keyword, or one that is not closed behind it: the script leaves everything to ssh. */
export const hasOddQuotes = (line: string): boolean =>
  /^[\s=]*(?:""|[^\s="]+"|"[\s="]*[^\s="]+(?!["]|[^\s="]))/.test(line);

/** The keyword in lower case, the first word behind it, and whether that is all; undefined: quotes are not closed. */
function splitSetting(line: string): readonly [string, string, boolean] | undefined {
  let [keyword, rest] = delimited(line.replace(/[ \t\r\n\f]+$/, '')) ?? [];
  if (keyword === '') [keyword, rest] = delimited(rest ?? '') ?? [];
  if (keyword === undefined || rest === undefined) return undefined;
  return [keyword.toLowerCase(), ...firstWord(rest)];
}

/** strdelim(): a word, up to white space or one `=`; a quote in it is left out, up to the next one. */
function delimited(text: string): readonly [string, string] | undefined {
  const at = text.search(/[ \t\r\n"=]/);
  if (at < 0) return [text, ''];
  const [word, delimiter, behind] = [text.slice(0, at), text.charAt(at), text.slice(at + 1)];
  if (delimiter === '"') {
    const end = behind.indexOf('"');
    return end < 0
      ? undefined
      : [word + behind.slice(0, end), behind.slice(end + 1).replace(/^[ \t\r\n]+/, '')];
  }
  const next = behind.replace(/^[ \t\r\n]+/, '');
  return [word, delimiter !== '=' && next.startsWith('=') ? next.slice(1).replace(/^[ \t\r\n]+/, '') : next];
}

/** argv_split(): quotes of both kinds, and backslashes before quotes, backslashes and spaces. */
function firstWord(text: string): readonly [word: string, isWhole: boolean] {
  const start = text.replace(/^[ \t]+/, '');
  if (start.startsWith('#')) return ['', false];
  let [word, quote, at] = ['', '', 0];
  for (; at < start.length; at += 1) {
    const [one, next] = [start.charAt(at), start.charAt(at + 1)];
    if (one === '\\' && (/['"\\]/.test(next) || (quote === '' && next === ' '))) {
      word += next;
      at += 1;
    } else if (quote === '' && /[ \t]/.test(one)) break;
    else if (quote === '' && /['"]/.test(one)) quote = one;
    else if (quote !== '' && one === quote) quote = '';
    else word += one;
  }
  return [word, quote === '' && /^[ \t]*(#|$)/.test(start.slice(at))];
}
