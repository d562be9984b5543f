/** What helper/ssm-ssh asks Node, and where the answer goes. */

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads along. */
  readonly terminal: boolean;
  readonly tell: (text: string) => void;
  /** Standard output, which the waiting shell evaluates. */
  readonly out: (text: string) => void;
  /** The folder of the programs' scripts. */
  readonly helper: string;
}

/** What the shell asks. It hands it on by the environment, which other users cannot read, and not as arguments. */
export interface Question {
  /** The folder of the agent, its keys, and what was compiled. Empty: the user's own, to be found. */
  readonly state: string;
  /** Whoever waits finds in its file `outcome` how it went, and the two lines of a failure. Empty: nobody waits. */
  readonly place: string;
  /** The one key that is wanted, by its folder. Empty: those that are for the host. */
  readonly key: string;
  /** ssh failed with the key, of which the agent had this version. Empty: ssh has not been tried. */
  readonly failed: string;
  /** Empty: the settings alone are wanted. */
  readonly host: string;
  readonly port: string;
  readonly repository: string;
  /** The region that the action was given; empty where there is none. */
  readonly region: string;
  /** Empty: the default key is not wanted. */
  readonly default: string;
}

const questionNames = [
  ...(['state', 'place', 'key', 'failed', 'host', 'port', 'repository', 'region', 'default'] as const),
] as const;

/** Takes it out of the environment, which programs that the AWS SDK starts get, too. */
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
