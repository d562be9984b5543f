/** The interface of the SSH servers for the repositories. */
import type { SshKey } from '../ssh-keys.ts';
import type { Grants } from './grants.ts';

export type ServerName = 'openssh' | 'ssh2';

export interface ServerSetup {
  /** The host's folder, for files of the server. */
  readonly folder: string;
  readonly journal: string;
  readonly hostKeys: readonly SshKey[];
  readonly grants: Grants;
  readonly program: string;
  /** More lines of sshd_config(5). Only sshd has them. */
  readonly settings?: readonly string[];
}

export interface SshServer {
  readonly name: ServerName;
  readonly port: number;
  /** The login name that the server accepts. */
  readonly user: string;
  /** Of sshd, for signals. */
  readonly pid?: number | undefined;
  stop(): Promise<void>;
}

export const address = '127.0.0.1';

/** OpenSSH's default MaxAuthTries: an agent with more keys may not reach the right one. */
export const maxAuthTries = 6;
