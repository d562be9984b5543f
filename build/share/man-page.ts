/** The table of commands → the manual page of ssm-ssh-agent, in man(7)'s macros. Pure. */
import { idleOptionsOf, type Command } from '../../helper/command-line/command.ts';
import { common, type Options } from '../../helper/command-line/parse.ts';

interface Release {
  readonly version: string;
  /** YYYY-MM-DD */
  readonly date: string;
}

export function manPage(commands: readonly Command[], { version, date }: Release): string {
  const lines = [
    `.\\" \`npm run docs\` writes this page from the table of commands.`,
    `.TH SSM\\-SSH\\-AGENT 1 "${date}" "ssm\\-ssh\\-agent ${escaped(version)}" "User Commands"`,
    '.SH NAME',
    'ssm\\-ssh\\-agent \\- SSH keys from AWS Parameter Store and Secrets Manager, for git and ssh',
    '.SH SYNOPSIS',
    '.B ssm\\-ssh\\-agent',
    '.I COMMAND',
    '[OPTION ...]',
    '.SH COMMANDS',
    ...commands.flatMap(commandSection),
    '.SH COMMON OPTIONS',
    'Every command takes all of these. Its section names those that have no effect on it.',
    ...optionList(common),
    '.SH EXIT STATUS',
    '0: done. 2: the command line, an input or the configuration is wrong. 1: anything else.',
    '.B exec',
    'passes on the exit code of the command that it ran.',
    '.SH SEE ALSO',
    '.BR git (1),',
    '.BR ssh (1),',
    '.BR ssh\\-agent (1)',
  ];
  return `${lines.join('\n')}\n`;
}

function commandSection(command: Command): string[] {
  const { name, summary, synopsis, examples, options } = command;
  const idle = idleOptionsOf(command);
  return [
    `.SS ${escaped(`${name} ${synopsis}`)}`,
    `${text(summary)}.`,
    ...optionList(options),
    ...(idle.length > 0 ? ['.PP', `${escaped(`Without effect here: ${idle.join(', ')}`)}.`] : []),
    ...examples.flatMap(([line, does]) => [
      '.PP',
      `${text(does)}:`,
      '.PP',
      '.nf',
      `.RS 4`,
      text(`ssm-ssh-agent ${line}`),
      '.RE',
      '.fi',
    ]),
  ];
}

function optionList(options: Options): string[] {
  return Object.entries(options).flatMap(([name, { value, help }]) => [
    '.TP',
    `\\fB${escaped(`--${name}`)}\\fR${value === undefined ? '' : ` \\fI${escaped(value)}\\fR`}`,
    text(help),
  ]);
}

/** A line of text: roff would take one that begins with a point or an apostrophe for a command. */
function text(line: string): string {
  return `\\&${escaped(line)}`;
}

/** Plain hyphens are printed as dashes, which cannot be pasted. */
function escaped(line: string): string {
  return line.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('…', '...');
}
