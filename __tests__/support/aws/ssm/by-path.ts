/** GetParametersByPath: the parameters below a level of the hierarchy, page by page. */
import { AwsError, constraintMessage } from '../errors.ts';
import { flag, optionalInteger, optionalText, text, validation } from './input.ts';
import { requirePermission } from './access.ts';
import { parameterArn } from './parameter-name.ts';
import { placeOf, present, reader, type SsmOperation } from './read.ts';

const MAX_RESULTS = 10;

/**
 * The permission is only checked for the path in the request: a caller who may read a level may read all levels below
 * it.
 */
export const getParametersByPath: SsmOperation = (store, caller, input) => {
  const path = text(input, 'Path');
  checkPath(path);
  const place = placeOf(caller);
  requirePermission(caller, 'ssm:GetParametersByPath', parameterArn(place, path));
  if (input['ParameterFilters'] !== undefined) throw new Error('parameter filters are not served here');
  const [first, size] = [startOf(optionalText(input, 'NextToken')), sizeOf(input)];
  const folder = path.endsWith('/') ? path : `${path}/`;
  const deep = flag(input, 'Recursive');
  const all = store.parameters
    .under(place, folder)
    .filter(({ name }) => deep || !name.slice(folder.length).includes('/'));
  const read = reader(store, caller, flag(input, 'WithDecryption'));
  const page = all.slice(first, first + size).flatMap((parameter) => {
    const version = parameter.versions.at(-1);
    return version ? [present({ parameter, version, selector: undefined }, read)] : [];
  });
  const next = first + size;
  return {
    Parameters: page,
    ...(next < all.length && { NextToken: Buffer.from(`from ${String(next)}`).toString('base64') }),
  };
};

function checkPath(path: string): void {
  if (/^\/([\w.-]+(\/[\w.-]+)*\/?)?$/.test(path) && !/^\/(aws|ssm)/i.test(path)) return;
  throw validation(
    'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/". ' +
      'It can\'t be prefixed with \\"aws\\" or \\"ssm\\" (case-insensitive). It must use only letters, numbers, or the ' +
      'following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if ' +
      'specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.',
  );
}

function sizeOf(input: Parameters<SsmOperation>[2]): number {
  const wanted = optionalInteger(input, 'MaxResults') ?? MAX_RESULTS;
  if (wanted >= 1 && wanted <= MAX_RESULTS) return wanted;
  const bound = wanted < 1 ? 'greater than or equal to 1' : `less than or equal to ${String(MAX_RESULTS)}`;
  throw validation(constraintMessage('maxResults', String(wanted), `Member must have value ${bound}`));
}

function startOf(token: string | undefined): number {
  if (token === undefined) return 0;
  const [, position] = /^from (\d+)$/.exec(Buffer.from(token, 'base64').toString()) ?? [];
  if (position !== undefined) return Number(position);
  throw new AwsError({ code: 'InvalidNextToken', message: 'The specified token is not valid.' });
}
