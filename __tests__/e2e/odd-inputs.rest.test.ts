import '../support/suite/rest.ts';
import './odd-inputs.test.ts';
