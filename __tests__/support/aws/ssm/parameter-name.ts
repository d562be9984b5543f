/** Parses the name of a parameter: a name or an ARN, with an optional version or label. Pure. */
import { parseArn, partitionOf } from '../arn.ts';
import { AwsError, constraintMessage } from '../errors.ts';

export interface ParameterRequest {
  /** As in the request; InvalidParameters repeats it. */
  readonly requested: string;
  readonly name: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly byArn: boolean;
  /** `:7` or `:prod`, including the colon, as in the answer; undefined: the latest version. */
  readonly selector: string | undefined;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

export function parameterArn({ account, region }: Place, name: string): string {
  return `arn:${partitionOf(region)}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

/** Throws ValidationException. `place` is the caller's own account and the signed Region. */
export function parseParameterName(requested: string, place: Place): ParameterRequest {
  checkLength(requested);
  const arn = requested.startsWith('arn:') ? parseArn(requested) : undefined;
  const byArn = arn?.service === 'ssm' && arn.resource.startsWith('parameter/');
  // `parameter/ci/key` is the parameter /ci/key; `parameter/key` may be key or /key.
  const path = byArn ? arn.resource.slice('parameter/'.length) : requested;
  const [bare = '', selector, ...rest] = path.split(':');
  const name = byArn && bare.includes('/') ? `/${bare}` : bare;
  checkName(name);
  if (rest.length > 0 || (selector !== undefined && !/^[\w.-]{1,100}$/.test(selector))) {
    throw invalid(`Invalid parameter selector. A selector is a version number or a label: ${requested}`);
  }
  const home = byArn ? { account: arn.account, region: arn.region } : place;
  return {
    requested,
    name,
    arn: parameterArn(home, name),
    ...home,
    byArn,
    selector: selector === undefined ? undefined : `:${selector}`,
  };
}

function checkLength(requested: string): void {
  if (requested.length === 0) {
    throw invalid(constraintMessage('name', '', 'Member must have length greater than or equal to 1'));
  }
  if (requested.length > 2048) {
    throw invalid(constraintMessage('name', requested, 'Member must have length less than or equal to 2048'));
  }
}

/** The grammar and limits of PutParameter's Name; reading checks them, too. */
export function checkName(name: string): void {
  const levels = name.split('/').filter((level) => level !== '');
  if (name.includes('/') && !name.startsWith('/')) {
    throw invalid('Parameter name must be a fully qualified name.');
  }
  if (!/^\/?[\w.-]+(\/[\w.-]+)*$/.test(name) || /^\/?ssm/i.test(name)) {
    throw invalid(
      'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of ' +
        'sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the ' +
        'following 3 symbols .-_',
    );
  }
  if (levels.length > 15) {
    throw new AwsError({
      code: 'HierarchyLevelLimitExceededException',
      message: 'The parameter name exceeds the maximum of 15 hierarchy levels.',
    });
  }
}

function invalid(message: string): AwsError {
  return new AwsError({ code: 'ValidationException', message });
}
