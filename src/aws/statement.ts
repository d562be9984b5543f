/** The parts of an IAM policy document. Pure. */

/** One value, or a list of at least one. */
export type Values = string | readonly string[];

/** Operator → condition key → values. */
export type Condition = Readonly<Record<string, Readonly<Record<string, Values>>>>;

/**
 * A statement of a permission policy, or of a trust policy if it has a Principal.
 *
 * @source IAM User Guide, "Grammar of the IAM JSON policy language"
 */
export interface Statement {
  /** Letters and digits, unique in its policy. */
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal?: Readonly<Record<string, Values>>;
  readonly Action: Values;
  readonly Resource?: Values;
  readonly Condition?: Condition;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

export function documentOf(statements: readonly Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

/** A statement of a permission policy, without conditions. */
export function allow(Sid: string, actions: readonly string[], resources: readonly string[]): Statement {
  return { Sid, Effect: 'Allow', Action: oneOrMany(actions), Resource: oneOrMany(resources) };
}

/** One value is written without a list, as in AWS's samples. Each value is written once. */
export function oneOrMany(values: readonly string[]): Values {
  const [first = '', ...others] = [...new Set(values)];
  return others.length === 0 ? first : [first, ...others];
}
