/** All readers of files that are known by their names. */
import { distributionReaders } from "./distribution-readers.ts";
import { javaReaders } from "./languages/java.ts";
import { npmReaders } from "./languages/npm.ts";
import { phpAndDotnetReaders } from "./languages/php-and-dotnet.ts";
import { pythonReaders } from "./languages/python.ts";
import { rubyReaders } from "./languages/ruby.ts";
import { tomlLockReaders } from "./languages/toml-locks.ts";
import { ReaderTable } from "./package-reader.ts";
import { rpmReaders } from "./rpm/rpm-databases.ts";

export const readerTable = new ReaderTable([
  ...distributionReaders,
  ...rpmReaders,
  ...npmReaders,
  ...pythonReaders,
  ...tomlLockReaders,
  ...javaReaders,
  ...rubyReaders,
  ...phpAndDotnetReaders,
]);
