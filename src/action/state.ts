/** The state that main saves for its post step: where the files are, and which variables main replaced. Pure. */

/** The variables by which programs find the agent, our ssh and git's configuration. */
const exportedVariables = {
  agent: ['SSH_AUTH_SOCK', 'SSH_AGENT_PID'],
  ssh: ['GIT_SSH_COMMAND', 'GIT_SSH_VARIANT'],
  configuration: ['GIT_CONFIG_COUNT'],
} as const;

type Exported = keyof typeof exportedVariables;

export type ExportedVariable = (typeof exportedVariables)['agent' | 'ssh'][number];

export interface State {
  /** The folder with all files of this use. */
  readonly folder: string;
  /** The agent's socket, which may be outside the folder. */
  readonly socket?: string | undefined;
  /** Whether main wrote blocks to ~/.ssh. */
  readonly sshConfig?: boolean | undefined;
  /** A record of each token that was made for git, without the token. Absent: not known. */
  readonly tokens?: readonly unknown[] | undefined;
  /** The values of the exported variables before; null if one was not set. */
  readonly replaced: Replaced;
}

export type Replaced = Readonly<Record<string, string | null>>;

/** The values before this use exports its own. */
export function replacedBy(
  env: Readonly<Record<string, string | undefined>>,
  exported: Readonly<Record<Exported, boolean>>,
): Replaced {
  const names = (Object.keys(exportedVariables) as Exported[]).flatMap((what) =>
    exported[what] ? exportedVariables[what] : [],
  );
  return Object.fromEntries(names.map((name) => [name, env[name] ?? null]));
}

/** Only variables that main exports, and values that a variable can have: another text is not exported. */
function ofOurs(replaced: Replaced): Replaced {
  const names: readonly string[] = Object.values(exportedVariables).flat();
  const isValue = (value: unknown): boolean => value === null || typeof value === 'string';
  return Object.fromEntries(
    Object.entries(replaced).filter(([name, value]) => names.includes(name) && isValue(value)),
  );
}

export const stateName = 'use';

export function writeState(state: State): string {
  return JSON.stringify(state);
}

/** @returns undefined if main saved no state, or if the text is something else */
export function readState(text: string | undefined): State | undefined {
  try {
    const { folder, socket, sshConfig, tokens, replaced } = JSON.parse(text ?? '') as Partial<State>;
    if (typeof folder !== 'string' || !replaced || typeof replaced !== 'object') return undefined;
    return {
      folder,
      replaced: ofOurs(replaced),
      ...(typeof socket === 'string' && { socket }),
      ...(sshConfig === true && { sshConfig }),
      ...(Array.isArray(tokens) && { tokens }),
    };
  } catch {
    return undefined;
  }
}
