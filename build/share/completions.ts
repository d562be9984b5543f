/** The table of commands → completions of ssm-ssh-agent for bash, zsh and fish. Pure. */
import { commonOptionsOf, type Command } from '../../helper/command-line/command.ts';
import type { Option } from '../../helper/command-line/parse.ts';

const program = 'ssm-ssh-agent';
const alone = ['--help', '--version'];

const optionsOf = (command: Command): [name: string, option: Option][] =>
  Object.entries({ ...command.options, ...commonOptionsOf(command) });
/** Whether one of the words behind the command is the name of a file. */
const takesFile = ({ synopsis }: Command): boolean => /\bFILE\b/.test(synopsis.replace(/--[\w-]+ FILE/g, ''));
/** Whether the command starts another one, which stands behind `--`. */
const startsAnother = ({ synopsis }: Command): boolean => synopsis.includes('-- COMMAND');
const header = (shell: string): string =>
  `# Completion of ${program} for ${shell}. \`npm run docs\` writes it from the table of commands.`;

/** Works in bash 3.2, which macOS has, and without the package bash-completion. */
export function bashCompletion(commands: readonly Command[]): string {
  const places = new Map<string, string[]>();
  for (const command of commands) {
    for (const [name, option] of optionsOf(command)) {
      const offered = bashValues(option);
      if (offered === undefined) continue;
      places.set(offered, [...(places.get(offered) ?? []), `${command.name}:--${name}`]);
    }
  }
  const values = [...places].map(([offered, same]) => `    ${same.join(' | ')})\n      ${offered} ;;`);
  const words = commands.map((command) => {
    const names = optionsOf(command).map(([name]) => `--${name}`);
    return `    ${command.name}) options='${names.join(' ')}'${takesFile(command) ? ' files=1' : ''} ;;`;
  });
  return `${header('bash')}
_ssm_ssh_agent() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  local options='' files='' index
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${[...commands.map(({ name }) => name), ...alone].join(' ')}' -- "$word"))
    return
  fi
  for ((index = 2; index < COMP_CWORD; index++)); do
    [[ \${COMP_WORDS[index]} == -- ]] || continue
    if ((index == COMP_CWORD - 1)); then COMPREPLY=($(compgen -c -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
    return
  done
  case $command:$before in
${values.join('\n')}
  esac
  case $command in
${words.join('\n')}
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"));
  elif [[ -n $files ]]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -F _ssm_ssh_agent ${program}
`;
}

/** What bash does behind an option that takes a value. */
function bashValues({ type, value, choices }: Option): string | undefined {
  if (type === 'boolean') return undefined;
  if (choices) return `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word"))\n      return`;
  return value === 'FILE' ? 'COMPREPLY=($(compgen -f -- "$word"))\n      return' : 'return';
}

export function zshCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map((command) => {
    const specs = optionsOf(command).map(([name, option]) => `        ${zshOption(name, option)}`);
    if (startsAnother(command)) specs.push("        '*:: :_normal'");
    else if (takesFile(command)) specs.push("        '*:FILE:_files'");
    return `    ${command.name})\n      _arguments -s \\\n${specs.join(' \\\n')} ;;`;
  });
  return `#compdef ${program}
${header('zsh')}
_ssm_ssh_agent() {
  local -a names
  names=(
${names.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe -t commands 'command' names
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _${program} ]]; then _ssm_ssh_agent "$@"; else compdef _ssm_ssh_agent ${program}; fi
`;
}

function zshOption(name: string, { type, multiple, value = 'VALUE', choices, help }: Option): string {
  const described = `--${name}[${help.replace(/[[\]\\]/g, '\\$&')}]`;
  const once = multiple ? `*${described}` : described;
  if (type === 'boolean') return quoted(once);
  const offered = choices ? `(${choices.join(' ')})` : value === 'FILE' ? '_files' : ' ';
  return quoted(`${once}:${value.replaceAll(':', '\\:')}:${offered}`);
}

export function fishCompletion(commands: readonly Command[]): string {
  const line = (...words: readonly string[]): string => ['complete', '-c', program, ...words].join(' ');
  const names = commands.map(({ name, summary }) =>
    line('-n', '__fish_use_subcommand', '-a', name, '-d', fishQuoted(summary)),
  );
  const options = commands.flatMap((command) => {
    const here = ['-n', fishQuoted(`__fish_seen_subcommand_from ${command.name}`)];
    return [
      ...optionsOf(command).map(([name, option]) => line(...here, '-l', name, ...fishOption(option))),
      ...(takesFile(command) ? [line(...here, '-F')] : []),
      ...(startsAnother(command)
        ? [line('-n', fishQuoted(behindHyphens), '-x', '-a', fishQuoted(another))]
        : []),
    ];
  });
  return `${header('fish')}\n${[line('-f'), ...names, ...options].join('\n')}\n`;
}

const behindHyphens = 'contains -- -- (commandline -opc)';
/** What fish offers for the line behind the `--`. */
const another = '(complete -C (string split -m 1 -- " -- " (commandline -cp))[2])';

function fishOption({ type, value, choices, help }: Option): string[] {
  const described = ['-d', fishQuoted(help)];
  if (type === 'boolean') return described;
  if (choices) return ['-x', '-a', fishQuoted(choices.join(' ')), ...described];
  return [value === 'FILE' ? '-r -F' : '-x', ...described];
}

/** For zsh's single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** fish knows two escapes in single quotes. */
function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
