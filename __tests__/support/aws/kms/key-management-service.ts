/** KMS's endpoint for asymmetric keys: the awsJson1_1 protocol and its operations. */
import { AwsError } from '../errors.ts';
import { authenticate, regionOf, type ApiOptions } from '../iam/caller.ts';
import { jsonAnswer, jsonCommonError, jsonMembers, jsonOperation, jsonRefusal } from '../wire/aws-json.ts';
import type { HttpRequest } from '../wire/http-server.ts';
import type { Service } from '../wire/service.ts';
import type { KmsOperation } from './access.ts';
import { getParametersForImport, importKeyMaterial } from './import.ts';
import {
  createAlias,
  createKey,
  deleteAlias,
  describeKey,
  disableKey,
  enableKey,
  getKeyPolicy,
  listAliases,
  listKeys,
  listResourceTags,
  putKeyPolicy,
  scheduleKeyDeletion,
  updateAlias,
} from './manage.ts';
import { getPublicKey, sign } from './sign.ts';
import type { SigningKeys } from './signing-keys.ts';

const TARGET = 'TrentService';

const OPERATIONS = new Map<string, KmsOperation>([
  ['CreateKey', createKey],
  ['DescribeKey', describeKey],
  ['GetPublicKey', getPublicKey],
  ['Sign', sign],
  ['CreateAlias', createAlias],
  ['UpdateAlias', updateAlias],
  ['DeleteAlias', deleteAlias],
  ['ListAliases', listAliases],
  ['ListKeys', listKeys],
  ['ListResourceTags', listResourceTags],
  ['GetParametersForImport', getParametersForImport],
  ['ImportKeyMaterial', importKeyMaterial],
  ['DisableKey', disableKey],
  ['EnableKey', enableKey],
  ['ScheduleKeyDeletion', scheduleKeyDeletion],
  ['GetKeyPolicy', getKeyPolicy],
  ['PutKeyPolicy', putKeyPolicy],
]);

/** One endpoint serves several services: the target header selects this one. */
export function isForKms(request: HttpRequest): boolean {
  return jsonOperation(request, TARGET) !== undefined;
}

export function keyManagementService(keys: SigningKeys, options: ApiOptions): Service {
  return {
    identify(request) {
      const operation = `kms:${jsonOperation(request, TARGET) ?? 'Unknown'}`;
      return { service: 'kms', operation, region: regionOf(request), parameters: jsonMembers(request) ?? {} };
    },
    // A promise, so that a refusal is a rejection.
    async perform(request, { operation }, call) {
      const caller = authenticate(request, { ...options, service: 'kms' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const work = OPERATIONS.get(operation.slice('kms:'.length));
      if (work === undefined) throw new AwsError({ code: 'UnknownOperationException', message: '' });
      const input = jsonMembers(request);
      if (input === undefined) throw new AwsError({ code: 'SerializationException', message: '' });
      return await Promise.resolve(jsonAnswer(work(keys, caller, input)));
    },
    refuse: jsonRefusal,
    commonError(kind) {
      const { code, status } = jsonCommonError(kind);
      if (kind === 'throttling') {
        const message =
          'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.';
        return new AwsError({ code, message });
      }
      return new AwsError({
        code: kind === 'internal-error' ? 'KMSInternalException' : 'DependencyTimeoutException',
        message: 'The request was rejected because of an internal error.',
        status,
      });
    },
  };
}
