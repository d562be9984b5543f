import '../support/suite/rest.ts';
import './bad-inputs.test.ts';
