import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { commonOptionsOf, helpOf, type Io } from '../../helper/command-line/command.ts';
import { parseLine } from '../../helper/command-line/parse.ts';
import { commands, run } from '../../helper/command-line/program.ts';
// The commands load these when they run. Loaded here, they take no time.
import '../../helper/certify/certify-key.ts';
import '../../helper/store/put-key.ts';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function said(env: Io['env'], args: readonly string[]): Promise<Said> {
  const text = { out: '', err: '' };
  const io = {
    ...{ env, out: (more: string) => (text.out += more), err: (more: string) => (text.err += more) },
    ...{ signals: { on: () => undefined, off: () => undefined }, useProfile: () => undefined },
  } as unknown as Io;
  return { code: await run(args, io), ...text };
}

async function told(...args: readonly string[]): Promise<[number, string]> {
  return await toldIn({}, ...args);
}

async function toldIn(env: Io['env'], ...args: readonly string[]): Promise<[number, string]> {
  const { code, err } = await said(env, args);
  return [code, err];
}

describe('ssm-ssh-agent', () => {
  it.each([
    [['--verison'], 'there is no option --verison', 'did you mean --version?'],
    [['--hepl'], 'there is no option --hepl', 'did you mean --help?'],
    [['-v'], 'there is no option -v', 'the commands are exec, add,'],
    [
      ['--region', 'eu-west-1', 'public'],
      '--region stands before the command',
      'ssm-ssh-agent exec --region',
    ],
    [['--for=read', 'policy'], '--for=read stands before the command', 'ssm-ssh-agent policy --for=read'],
    [['polcy'], 'there is no command polcy', 'did you mean policy?'],
    [
      ['doctor', '/ci/one', '--', '/ci/two hosts=a'],
      '"/ci/two": unknown option "hosts"',
      'write REFERENCE [passphrase=',
    ],
  ])('refuses %j', async (args, problem, hint) => {
    const [code, text] = await told(...args);
    const [what, how] = text.split('\n');
    expect([code, what]).toEqual([2, `ssm-ssh-agent: INPUT_INVALID: ${problem}`]);
    expect(how).toContain(hint);
  });
});

describe('the time limit of a command', () => {
  it.each([
    ['put', ['put', '/ci/deploy-key'], 'KEY_NOT_PRIVATE'],
    ['certify', ['certify', '-', '--ca', '/ci/authority', '--principals', 'a'], 'INPUT_INVALID'],
  ])('does not count the time that %s waits for somebody to paste a key', async (_, args, code) => {
    const slowly = async function* (): AsyncGenerator<Buffer> {
      await sleep(1200);
      yield Buffer.from('what is pasted');
    };
    let err = '';
    const io = {
      ...{ env: {}, out: () => undefined, err: (more: string) => (err += more) },
      signals: { on: () => undefined, off: () => undefined },
      input: () => ({ stream: Readable.from(slowly()), isTerminal: false }),
    } as unknown as Io;
    await run(args, io, 1);
    expect(err).toContain(`ssm-ssh-agent: ${code}: `);
  });
});

describe('the help that is asked for', () => {
  it.each([
    [['--help'], 'Commands:'],
    [['help'], 'Commands:'],
    [['help', 'add'], 'Usage: ssm-ssh-agent add '],
    [['add', '--help'], 'Usage: ssm-ssh-agent add '],
  ])('by %j is on standard output, and no failure', async (args, text) => {
    expect(await said({}, args)).toEqual({ code: 0, err: '', out: expect.stringContaining(text) });
  });
});

describe('an error of ssm-ssh-agent', () => {
  it('has the mark by which doctor knows it', async () => {
    const [, text] = await toldIn({ _SSM_MARK: ' [0f1e]' }, 'polcy');
    expect(text).toMatch(/^ssm-ssh-agent \[0f1e\]: INPUT_INVALID: .*\nhint: .*\n$/);
  });
});

describe('a common option', () => {
  const names = commands.map(({ name }) => name);

  it.each(names)('with a wrong value is refused, also by %s', async (name) => {
    for (const [option, value] of [
      ['--region', 'bad region!'],
      ['--role-arn', 'nonsense'],
    ] as const) {
      const [code, text] = await told(name, option, value);
      expect([code, text]).toEqual([
        2,
        expect.stringMatching(/^ssm-ssh-agent: INPUT_INVALID: --r.*\nhint: /),
      ]);
      expect(text).toContain(`"${value}"`);
    }
  });

  it('is accepted by every command, and its help says where it changes nothing', async () => {
    const common = [
      '--region',
      'eu-west-1',
      '--profile',
      'x',
      '--role-arn',
      'arn:aws:iam::111122223333:role/x',
    ];
    for (const name of ['flush', 'log']) {
      const [code, text] = await told(name, ...common, '--json', '--verbose', 'word');
      expect([code, text]).toEqual([2, expect.stringContaining(`${name} takes no name`)]);
    }
    const nothing = (name: string): string | undefined =>
      commands
        .filter((command) => command.name === name)
        .map((command) => /^Without effect here: (.*)\n$/m.exec(helpOf(command))?.[1])[0];
    expect(nothing('explain')).toBe('--region, --profile, --role-arn, --quiet, --verbose');
    expect(nothing('policy')).toBe('--json');
    expect(nothing('put')).toBeUndefined();
  });
});

describe('an option whose help lists its values', () => {
  const options = commands.flatMap((command) =>
    Object.entries({ ...command.options, ...commonOptionsOf(command) }).map(
      ([name, option]) => [`${command.name} --${name}`, option] as const,
    ),
  );

  it.each(options.filter(([, { help }]) => /^[\w-]+ \(default\)|^\w+, \w+ or \w+\b/.test(help)))(
    '%s has the values as choices, for the suggestion and the completions',
    (_, { choices = [], help }) => {
      expect(choices.length).toBeGreaterThan(1);
      expect(choices.filter((choice) => !help.includes(choice))).toEqual([]);
    },
  );
});

describe('an example in the help of a command', () => {
  const examples = commands.flatMap((command) =>
    command.examples.map(([line, does]) => [line, { command, does }] as const),
  );

  it.each(examples)('%s: is a line that the command accepts, and says what it does', (line, example) => {
    const { command, does } = example;
    const [name, ...args] = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, plain]) => single ?? double ?? plain ?? '',
    );
    expect(name).toBe(command.name);
    const end = args.findIndex((word) => /^[|<>]/.test(word));
    expect(() => parseLine(end < 0 ? args : args.slice(0, end), command.options)).not.toThrow();
    expect(does).toMatch(/\w{2}/);
  });
});

it.each(commands.map((command) => [command.name, command] as const))(
  'the help of %s says what it does, and what each option does',
  (_, command) => {
    const texts = [command.summary, ...Object.values(command.options).map(({ help }) => help)];
    expect(texts.filter((text) => !/\w{2}/.test(text))).toEqual([]);
  },
);

it.each(commands.map((command) => [command.name, command] as const))(
  'the help of %s has each option with a word for its value, if it takes one',
  (_, command) => {
    const lines = helpOf(command).split('\n');
    const options = Object.entries({ ...command.options, ...commonOptionsOf(command) });
    const isShown = ([name, { type }]: (typeof options)[number]): boolean => {
      const shown = new RegExp(`^ {2}--${name}${type === 'string' ? String.raw` \S+` : ''} {2,}\\S`);
      return lines.some((line) => shown.test(line));
    };
    expect(options.filter((option) => !isShown(option)).map(([name]) => name)).toEqual([]);
  },
);

it.each(commands.map((command) => [command.name, command] as const))(
  'the help of %s says what is written behind the name, with options that it has',
  (name, command) => {
    const [, synopsis = ''] =
      new RegExp(`^Usage: ssm-ssh-agent ${name} (.*)$`, 'm').exec(helpOf(command)) ?? [];
    expect(synopsis).toMatch(/[A-Z]{3}/);
    const named = [...synopsis.matchAll(/--(\w[\w-]*)/g)].map(([, option = '']) => option);
    const options = Object.keys({ ...command.options, ...commonOptionsOf(command) });
    expect(named.filter((option) => !options.includes(option))).toEqual([]);
  },
);
