/** Where key text comes from: what every store answers, whatever it is. */
import type { Reference } from '../keys/reference.ts';

export interface Secret {
  readonly reference: Reference;
  /** Secret. As it is stored. */
  readonly text: string;
  /** The version that was read, to be told apart from a rotated one. */
  readonly version: string;
  readonly arn: string;
  /** Whether the store keeps it encrypted. */
  readonly encrypted: boolean;
}

export interface SecretSource {
  /** In the order of the references; equal ones are asked for once. */
  read(references: readonly Reference[]): Promise<Secret[]>;
}
