/** EC2's endpoint: the ec2Query protocol and its two operations. A policy cannot limit either to a resource. */
import { queryParameters } from '../wire/aws-query.ts';
import { ec2Answer, ec2CommonError, ec2Refusal, EC2_VERSION } from '../wire/ec2-query.ts';
import { authenticate, refusalOf, regionOf, type ApiOptions } from '../iam/caller.ts';
import { AwsError } from '../errors.ts';
import type { HttpRequest } from '../wire/http-server.ts';
import type { Service } from '../wire/service.ts';
import { describeInstanceConnectEndpoints, describeInstances, type Ec2Operation } from './describe.ts';
import type { Ec2 } from './instances.ts';

/** Of the services with form requests, EC2 is identified by its version. */
export function isForEc2({ body }: HttpRequest): boolean {
  return new URLSearchParams(body.toString()).get('Version') === EC2_VERSION;
}

/** @param origin of the local AWS, which also serves its Instance Connect Endpoints */
export function elasticComputeCloud(ec2: Ec2, options: ApiOptions & { origin: () => string }): Service {
  const operations = new Map<string, Ec2Operation>([
    ['DescribeInstances', describeInstances],
    ['DescribeInstanceConnectEndpoints', describeInstanceConnectEndpoints(options.origin)],
  ]);
  return {
    identify(request) {
      const fields = Object.entries(queryParameters(request));
      const name = fields.find(([field]) => field === 'Action')?.[1] ?? 'Unknown';
      const parameters = Object.fromEntries(fields.filter(([field]) => !/^(Action|Version)$/.test(field)));
      return { service: 'ec2', operation: `ec2:${name}`, region: regionOf(request), parameters };
    },
    perform(request, { operation: action }, call) {
      const caller = authenticate(request, { ...options, service: 'ec2' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const name = action.slice('ec2:'.length);
      const work = operations.get(name);
      if (work === undefined) {
        throw new AwsError({ code: 'InvalidAction', message: `The action ${name} is not valid` });
      }
      const refusal = refusalOf(caller, { action, resource: '*' });
      if (refusal !== undefined) {
        const who = refusal.message.replace(/ on resource: \*$/, '');
        const message = `You are not authorized to perform this operation. ${who} ${refusal.reason}`;
        throw new AwsError({ code: 'UnauthorizedOperation', message, status: 403 });
      }
      return Promise.resolve(ec2Answer(name, work(ec2, caller, queryParameters(request))));
    },
    refuse: ec2Refusal,
    commonError: ec2CommonError,
  };
}
