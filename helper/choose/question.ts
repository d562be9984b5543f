/** The question that helper/ssm-ssh asks Node, and the terminal for the answer. */
import { warningsOnly, type Voice } from '../../src/host/voice.ts';
import { visible } from '../../src/keys/visible-text.ts';

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
  readonly tell: (text: string) => void;
  /** Writes to standard output. The waiting shell evaluates it. */
  readonly out: (text: string) => void;
  /** The folder of the shell scripts. */
  readonly helper: string;
}

/** The shell passes it in the environment, because other users can read arguments. */
export interface Question {
  /** The agent's folder, with keys and compiled files. Empty: find the user's own. */
  readonly state: string;
  /**
   * A folder. Its file `outcome` gets the result, and the two lines of a failure, for other waiting shells. Empty: none
   * waits.
   */
  readonly place: string;
  /** The folder of the one key to load. Empty: the keys for the host. */
  readonly key: string;
  /** The version of the key with which ssh failed. Empty: ssh was not tried yet. */
  readonly failed: string;
  /** Empty: only the settings are needed. */
  readonly host: string;
  readonly port: string;
  readonly repository: string;
  /** The action's Region; empty if there is none. */
  readonly region: string;
  /** Empty: the default key is not needed. */
  readonly default: string;
}

const questionNames = [
  ...(['state', 'place', 'key', 'failed', 'host', 'port', 'repository', 'region', 'default'] as const),
] as const;

/** Removes the question from the environment, so that programs that the AWS SDK starts do not get it. */
export function takeQuestion(env: Record<string, string | undefined>): Question {
  const taken = questionNames.map((name) => {
    const variable = `_SSM_ASKED_${name.toUpperCase()}`;
    const value = env[variable] ?? '';
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the environment is no object of ours
    delete env[variable];
    return [name, value] as const;
  });
  return Object.fromEntries(taken) as unknown as Question;
}

const program = 'ssm-ssh';

export function hostVoice(tell: Terminal['tell']): Voice {
  return warningsOnly((message) => {
    tell(`${program}: warning: ${visible(message)}\n`);
  });
}

/** On a terminal, if it takes longer than a second. The caller ends the timer. */
export function tellOfWaiting(reference: string, { terminal, tell }: Terminal): NodeJS.Timeout {
  return setTimeout(() => {
    if (terminal) tell(`${program}: reading ${visible(reference)} from AWS\n`);
  }, 1000);
}
