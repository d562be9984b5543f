/** The completions in share/ are loaded by the shells themselves; the manual page is read by mandoc. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { manPage } from '../../build/share/man-page.ts';
import { commands } from '../../helper/command-line/program.ts';
import { command } from '../../helper/command-line/command.ts';
import { describeWith, itWith } from '../support/needs.ts';

const share = join(import.meta.dirname, '../../share');
const bashFile = join(share, 'bash-completion/completions/ssm-ssh-agent');
const fishFile = join(share, 'fish/vendor_completions.d/ssm-ssh-agent.fish');
const zshFile = join(share, 'zsh/site-functions/_ssm-ssh-agent');
const names = commands.map(({ name }) => name);

function told(program: string, ...args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', cwd: share });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout.trim().split('\n').filter(Boolean);
}

/** What a shell offers for a line whose last word is not finished. */
const offers = {
  bash: (line: string): string[] => {
    const words = line.split(' ');
    const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ssm_ssh_agent; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return told('bash', '-c', script, 'bash', bashFile, ...words);
  },
  fish: (line: string): string[] =>
    told('fish', '-N', '-c', `source ${fishFile}; complete -C '${line}'`).map(
      (offered) => offered.split('\t', 1)[0] ?? '',
    ),
} as const;

describe.each(['bash', 'fish'] as const)('in %s', (shell) => {
  describeWith(shell)('the completion', () => {
    const offer = offers[shell];

    it('offers the commands', () => {
      expect(offer('ssm-ssh-agent ')).toEqual(expect.arrayContaining(names));
      expect(offer('ssm-ssh-agent se')).toEqual(['setup']);
    });

    it('offers the options of a command, and the common ones that it has', () => {
      expect(offer('ssm-ssh-agent setup --k').sort()).toEqual(['--key', '--key-lifetime', '--known-hosts']);
      expect(offer('ssm-ssh-agent flush --').sort()).toEqual(['--help', '--json', '--quiet', '--version']);
    });

    it('offers the only values of an option, files where it takes one, and nothing for a name in AWS', () => {
      expect(offer('ssm-ssh-agent proxy --via s')).toEqual(['session-manager']);
      expect(offer('ssm-ssh-agent policy --for ro')).toEqual(['rotate']);
      expect(offer('ssm-ssh-agent setup --known-hosts ma').map((path) => path.replace('/', ''))).toEqual([
        'man',
      ]);
      expect(offer('ssm-ssh-agent setup --key ma')).toEqual([]);
    });

    it('offers programs behind the -- of exec', () => {
      expect(offer('ssm-ssh-agent exec --key /ci/key -- ssh-keyg')).toContain('ssh-keygen');
    });
  });
});

describeWith('zsh')('in zsh the completion', () => {
  /** Completion needs a terminal: zpty gives one to a second shell. Ends when the text has been shown. */
  const script = `zmodload zsh/zpty
zpty shell "env TERM=vt100 COLUMNS=200 zsh -f -i"
zpty -w shell "autoload -Uz compinit; compinit -u -D; source $1; print loaded-\\$((1 + 1))"
zpty -r -m shell text '*loaded-2*'
zpty -w -n shell "$2"$'\\t'
zpty -r -m shell text "*$3*"
print -r -- "$text"
zpty -d shell`;
  const shown = (line: string, awaited: string): string => {
    const args = ['-f', '-c', script.replaceAll('\\\\', '\\'), 'zsh', zshFile, line, awaited];
    return spawnSync('zsh', args, { encoding: 'utf8', timeout: 20_000 }).stdout;
  };

  it.each([
    ['completes a command', 'ssm-ssh-agent set', 'up'],
    ['shows the options that begin alike', 'ssm-ssh-agent setup --k', '--known-hosts'],
    ['completes a value that an option can have', 'ssm-ssh-agent proxy --via s', 'ession-manager'],
    ['completes the name of a program behind --', 'ssm-ssh-agent exec -- ssh-keyg', 'en'],
  ])('%s', (_what, line, awaited) => {
    expect(shown(line, awaited)).toContain(awaited);
  });
});

describe('the manual page', () => {
  const page = readFileSync(join(share, 'man/man1/ssm-ssh-agent.1'), 'utf8');

  itWith('mandoc')('has no error that mandoc finds', () => {
    const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning'], { input: page, encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  itWith('mandoc')('shows each command, its options, and examples that can be pasted', () => {
    const { stdout } = spawnSync('mandoc', ['-Tutf8', '-O', 'width=200'], { input: page, encoding: 'utf8' });
    // eslint-disable-next-line no-control-regex -- mandoc prints a letter, a backspace and the letter again for bold text
    const text = stdout.replace(/.\x08/g, '');
    for (const { name, options, examples } of commands) {
      expect(text).toContain(`   ${name} `);
      for (const option of Object.keys(options)) expect(text).toContain(`--${option}`);
      for (const [line] of examples) expect(text).toContain(`ssm-ssh-agent ${line}`);
    }
  });

  it('shows text that roff could take for a command', () => {
    const odd = command({
      ...{ name: 'odd', summary: 'Odd', synopsis: "'x'", options: {} },
      examples: [['odd \\n', '.so /etc/passwd']],
      run: async () => await Promise.resolve(0),
    });
    const release = { version: '1.0.0', date: '2026-01-31' };
    const lines = manPage([odd], release).split('\n');
    expect(
      lines.filter(
        (line) => /^['.]/.test(line) && !/^\.(TH|SH|SS|B|BR|I|PP|TP|nf|fi|RS|RE|\\")( |$)/.test(line),
      ),
    ).toEqual([]);
    expect(lines).toContain('\\&ssm\\-ssh\\-agent odd \\en');
  });
});
