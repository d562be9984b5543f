/** `::command property=value::data` lines of a step's output, executed like the runner's ActionCommandManager. */
import type { Masks } from './masks.ts';

export interface Annotation {
  readonly level: 'notice' | 'warning' | 'error';
  readonly title?: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: string;
}

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

const annotationLevels = ['notice', 'warning', 'error'] as const;
const ignored = ['add-matcher', 'remove-matcher'];
const disabled = ['set-env', 'add-path'];
const deprecated = ['save-state', 'set-output'];
const known = new Set([
  ...['add-mask', 'debug', 'echo', 'endgroup', 'group', 'stop-commands'],
  ...[...annotationLevels, ...ignored, ...disabled, ...deprecated],
]);

/** The destination of a step's output: the visible log, and the effects of commands. */
export class StepLog {
  readonly annotations: Annotation[] = [];
  readonly outputs = new Map<string, string>();
  readonly state = new Map<string, string>();
  /** True if a command was refused: the step fails, whatever its exit code. */
  failed = false;
  readonly #masks: Masks;
  readonly #debug: boolean;
  readonly #shown: string[] = [];
  #stopToken: string | undefined;

  constructor(masks: Masks, debug: boolean) {
    this.#masks = masks;
    this.#debug = debug;
  }

  text(): string {
    return this.#shown.map((line) => `${line}\n`).join('');
  }

  annotate(annotation: Annotation): void {
    this.annotations.push({ ...annotation, message: this.#masks.redact(annotation.message) });
    this.#show(`##[${annotation.level}]${annotation.message}`);
  }

  /** Takes one line of standard output or standard error: the runner reads commands from both. */
  line(raw: string): void {
    const command = parseCommand(raw, this.#stopToken);
    if (command === undefined) this.#show(raw);
    else if (this.#stopToken !== undefined) {
      this.#show(raw);
      if (command.name === this.#stopToken) this.#stopToken = undefined;
    } else if (command.name !== 'stop-commands') this.#perform(command, raw);
    else if (isWeakToken(command.data)) this.#refuse(raw, weakTokenMessage);
    else {
      this.#show(raw);
      this.#stopToken = command.data.toLowerCase();
    }
  }

  /** Masked when it is shown: a secret that is printed before its mask is visible. */
  #show(text: string): void {
    this.#shown.push(this.#masks.redact(text));
  }

  #refuse(raw: string, reason: string): void {
    this.annotate({ level: 'error', message: `Unable to process command '${raw}' successfully.` });
    this.annotate({ level: 'error', message: reason });
    this.failed = true;
  }

  #perform(command: Command, raw: string): void {
    const { name, properties, data } = command;
    const level = annotationLevels.find((candidate) => candidate === name);
    if (level) this.annotate(annotationOf(level, command));
    else if (name === 'debug' && this.#debug) this.#show(`##[debug]${data}`);
    else if (name === 'group') this.#show(`##[group]${data}`);
    else if (name === 'endgroup') this.#show('##[endgroup]');
    else if (name === 'add-mask' && !this.#masks.add(data)) {
      this.annotate({ level: 'warning', message: emptyMaskMessage });
    } else if (disabled.includes(name)) this.#refuse(raw, disabledMessage(name));
    else if (deprecated.includes(name)) {
      this.annotate({ level: 'warning', message: deprecatedMessage(name) });
      (name === 'save-state' ? this.state : this.outputs).set(properties['name'] ?? '', data);
    }
  }
}

/** ActionCommand.TryParseV2: spaces may come first, names are case-insensitive, unknown commands are text. */
export function parseCommand(line: string, resumeToken?: string): Command | undefined {
  const [, info, data] = /^\s*::(.*?)::(.*)$/s.exec(line) ?? [];
  if (info === undefined || data === undefined) return undefined;
  const [, name = '', list = ''] = /^([^ ]*) ?(.*)$/s.exec(info) ?? [];
  const lowered = name.toLowerCase();
  if (!known.has(lowered) && lowered !== resumeToken) return undefined;
  const properties = list
    .trim()
    .split(',')
    .flatMap((property) => {
      const [, key, value] = /^([^=]+)=(.+)$/s.exec(property) ?? [];
      return key === undefined || value === undefined ? [] : [[key.toLowerCase(), decodeProperty(value)]];
    });
  return {
    name: lowered,
    properties: Object.fromEntries(properties) as Record<string, string>,
    data: decodeData(data),
  };
}

/** In this order: `%250A` is the text `%0A`. */
const decodeData = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');

const decodeProperty = (text: string): string =>
  text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');

function annotationOf(level: Annotation['level'], { properties, data }: Command): Annotation {
  const { title, file, line } = properties;
  return {
    level,
    message: data,
    ...(title === undefined ? {} : { title }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

const isWeakToken = (token: string): boolean =>
  token === '' || token.toLowerCase() === 'pause-logging' || known.has(token.toLowerCase());

const weakTokenMessage =
  "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command.";

const emptyMaskMessage = "Can't add secret mask for empty string in ##[add-mask] command.";

const disabledMessage = (name: string): string =>
  `The \`${name}\` command is disabled. Please upgrade to using Environment Files or opt into unsecure command execution by setting the \`ACTIONS_ALLOW_UNSECURE_COMMANDS\` environment variable to \`true\`.`;

const deprecatedMessage = (name: string): string =>
  `The \`${name}\` command is deprecated and will be disabled soon. Please upgrade to using Environment Files.`;
