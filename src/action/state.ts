/** What main leaves for its own post step: where everything of this use is, and which variables it replaced. Pure. */

/** What the agent, our ssh and git's configuration are found by. */
const exportedVariables = {
  agent: ['SSH_AUTH_SOCK', 'SSH_AGENT_PID'],
  ssh: ['GIT_SSH_COMMAND', 'GIT_SSH_VARIANT'],
  configuration: ['GIT_CONFIG_COUNT'],
} as const;

type Exported = keyof typeof exportedVariables;

export type ExportedVariable = (typeof exportedVariables)['agent' | 'ssh'][number];

export interface State {
  /** Everything that this use puts on disk is in this folder. */
  readonly folder: string;
  /** The agent's, which may be elsewhere. */
  readonly socket?: string | undefined;
  /** Whether there are blocks of ours in ~/.ssh. */
  readonly sshConfig?: boolean | undefined;
  /** What is known of each token that was made for git, without the token. */
  readonly tokens?: readonly unknown[] | undefined;
  /** What the exported variables were before; null where they were not set. */
  readonly replaced: Replaced;
}

export type Replaced = Readonly<Record<string, string | null>>;

/** What is there before this use exports its own. */
export function replacedBy(
  env: Readonly<Record<string, string | undefined>>,
  exported: Readonly<Record<Exported, boolean>>,
): Replaced {
  const names = (Object.keys(exportedVariables) as Exported[]).flatMap((what) =>
    exported[what] ? exportedVariables[what] : [],
  );
  return Object.fromEntries(names.map((name) => [name, env[name] ?? null]));
}

export const stateName = 'use';

export function writeState(state: State): string {
  return JSON.stringify(state);
}

/** undefined where main left none, or something that is not its own. */
export function readState(text: string | undefined): State | undefined {
  try {
    const { folder, socket, sshConfig, tokens, replaced } = JSON.parse(text ?? '') as Partial<State>;
    if (typeof folder !== 'string' || !replaced || typeof replaced !== 'object') return undefined;
    return {
      folder,
      replaced,
      ...(typeof socket === 'string' && { socket }),
      ...(sshConfig === true && { sshConfig }),
      ...(Array.isArray(tokens) && { tokens }),
    };
  } catch {
    return undefined;
  }
}
