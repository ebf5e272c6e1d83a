// statefs as a person meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "core/limits.h"
#include "os/endpoint.h"
#include "os/version.h"
#include "tests/os/cutting_proxy.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::lines_in;
using test::program;
using test::Programs;
using test::run;
using test::RunResult;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(Programs, PutGetListDeleteWithEveryByteExact) {
  start();
  EXPECT_EQ(statefs({"put", "/state/shared/a", "hello"}).status, 0);
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "hello");
  std::string binary;
  for (int i = 0; i < 1024; ++i) binary += static_cast<char>(i * 37 % 256);
  dir_.write("binary", binary);
  for (const auto& [argument, input] :
       std::vector<std::pair<std::string, std::string>>{{"@" + dir_.path("binary"), ""}, {"-", binary}}) {
    const RunResult put = statefs({"put", "/state/shared/b", argument}, input);
    EXPECT_EQ(put.status, 0) << put.err;
    EXPECT_EQ(statefs({"get", "/state/shared/b"}).out, binary);
    EXPECT_EQ(statefs({"del", "/state/shared/b"}).status, 0);
  }
  EXPECT_EQ(statefs({"put", "/state/shared/empty", ""}).status, 0);
  const RunResult empty = statefs({"get", "/state/shared/empty"});
  EXPECT_EQ(empty.status, 0);
  EXPECT_EQ(empty.out, "");
  EXPECT_EQ(statefs({"put", "/state/shared/minus", "--", "-5"}).status, 0);
  EXPECT_EQ(statefs({"get", "--", "/state/shared/minus"}).out, "-5");
  EXPECT_EQ(statefs({"ls", "/state/shared/"}).out, "/state/shared/a\n/state/shared/empty\n/state/shared/minus\n");
  EXPECT_EQ(statefs({"get", "/state/shared/a", "--output", "hex"}).out, "68656c6c6f\n");
  EXPECT_EQ(statefs({"get", "/state/shared/a", "--output", "text"}).out, "hello\n");
  EXPECT_THAT(statefs({"get", "/state/shared/a", "--output", "json"}).out, HasSubstr("\"value_hex\":\"68656c6c6f\""));
  EXPECT_EQ(statefs({"put", "/state/shared/quiet", "1", "--output", "raw"}).out, "");
  EXPECT_EQ(statefs({"sync"}).status, 0);
  EXPECT_THAT(statefs({"status"}).out, HasSubstr("value_size_max 65536\n"));
}

TEST_F(Programs, TellEveryOutcomeByExitStatusAndOneLine) {
  start();
  ASSERT_EQ(statefs({"put", "/state/shared/a", "1"}).status, 0);
  expect_refusal(statefs({"get", "/state/shared/none"}), 2, "NOT_FOUND");
  expect_refusal(statefs({"del", "/state/shared/none"}), 2, "NOT_FOUND");
  const RunResult denied = statefs({"put", "/state/boot/x", "1"});
  expect_refusal(denied, 3, "statefs: put /state/boot/x: EPERM: ");
  EXPECT_EQ(statefs({"put", "/state/boot/x", "1"}).err, denied.err) << "the same on every retry";
  for (const char* verb : {"get", "del"}) expect_refusal(statefs({verb, "/state/keystore/k"}), 3, "EPERM");
  expect_refusal(statefs({"ls", "/state/"}), 3, "EPERM");
  expect_refusal(statefs({"put", "--if-absent", "/state/shared/a", "2"}), 4, "REVISION_CONFLICT");
  expect_refusal(statefs({"put", "--if-revision", "7", "/state/shared/a", "2"}), 4, "REVISION_CONFLICT");
  expect_refusal(statefs({"del", "--if-revision", "7", "/state/shared/a"}), 4, "REVISION_CONFLICT");
  for (const char* key : {"", "relative", "/state//shared", "/state/shared/", "/state/shared/../boot/x", "/state/shared/a\nb",
                          "/state/shared/\xff"}) {
    expect_refusal(statefs({"put", key, "1"}), 1, "INVALID_KEY");
  }
  expect_refusal(statefs({"put", "/state/shared/" + std::string(300, 'k'), "1"}), 1, "KEY_TOO_LONG");
  expect_refusal(statefs({"ls", "/state/shared"}), 1, "INVALID_KEY");
  expect_refusal(statefs({"put", "/state/shared/a", "@" + dir_.path("nothing")}), 1, "no such file");
  EXPECT_EQ(statefs({"put", "/state/shared/full", "-"}, std::string(limits::value_size_max, 'x')).status, 0);
  EXPECT_EQ(statefs({"get", "/state/shared/full"}).out.size(), limits::value_size_max);
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "1") << "no refusal changed anything";
}

TEST_F(Programs, HoldConditionsToTheRevision) {
  start();
  ASSERT_EQ(statefs({"put", "--if-absent", "/state/shared/c", "1"}).status, 0);
  const std::string listed = statefs({"ls", "/state/shared/", "--long"}).out;
  const std::string revision = listed.substr(0, listed.find('\t'));
  EXPECT_EQ(listed, revision + "\t1\t/state/shared/c\n");
  EXPECT_EQ(statefs({"put", "--if-revision", revision, "/state/shared/c", "2"}).status, 0);
  EXPECT_EQ(statefs({"put", "--if-revision", revision, "/state/shared/c", "3"}).status, 4);
  EXPECT_EQ(statefs({"get", "/state/shared/c"}).out, "2");
}

TEST_F(Programs, PageAListingWithoutLosingAKeyOrASilentCut) {
  start();
  std::string all;
  for (int i = 0; i < 5; ++i) {
    const std::string key = "/state/shared/k" + std::to_string(i);
    ASSERT_EQ(statefs({"put", "--no-sync", key, "v"}).status, 0);
    all += key + "\n";
  }
  EXPECT_EQ(statefs({"ls", "/state/shared/"}).out, all);
  std::string paged;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const RunResult result = statefs({"ls", "/state/shared/", "--limit", "2", "--cursor", cursor});
    EXPECT_EQ(result.status, 0) << result.err;
    paged += result.out;
    cursor = result.out.substr(result.out.rfind('/', result.out.size()) - std::string("/state/shared").size());
    cursor.pop_back();
    EXPECT_EQ(result.err.find("there is more") != std::string::npos, page < 2) << result.err;
  }
  EXPECT_EQ(paged, all);
  EXPECT_THAT(statefs({"ls", "/state/shared/", "--limit", "2", "--output", "json"}).out,
              HasSubstr("\"has_more\":true,\"cursor\":\"/state/shared/k1\""));
}

TEST_F(Programs, RefuseUsageErrorsWithOneAndHelpWithNone) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"fly"},
                                             {"put"},
                                             {"put", "/k"},
                                             {"get"},
                                             {"get", "/k", "--bogus"},
                                             {"put", "/k", "v", "--if-revision", "x"},
                                             {"put", "/k", "v", "--if-revision", "1", "--if-absent"},
                                             {"get", "/k", "--output", "xml"},
                                             {"policy"},
                                             {"policy", "check"},
                                             {"bench", "fly"},
                                             {"bench", "get", "--connections", "0"},
                                             {"get", "/k", "--timeout", "soon"},
                                             {"get", "/k", "--server-key", "12"},
                                             {"get", "/k", "--connect", "nowhere"},
                                             {"keygen"}}) {
    address_ = "127.0.0.1:1";
    const RunResult result = statefs(arguments);
    EXPECT_EQ(result.status, 1) << ::testing::PrintToString(arguments) << result.err;
    EXPECT_EQ(lines_in(result.err), 1) << result.err;
    EXPECT_THAT(result.err, StartsWith("statefs: "));
  }
  for (const char* name : {"statefs", "dsoftbusd"}) {
    const RunResult help = run({program(name), "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_THAT(help.out, HasSubstr("--identity"));
  }
  EXPECT_EQ(run({program("dsoftbusd"), "--bogus"}).status, 1);
}

TEST_F(Programs, TellWhyAServerCannotBeUsed) {
  start();
  keygen("stranger.key");
  expect_refusal(statefs({"get", "/state/shared/a", "--identity", dir_.path("stranger.key")}), 3, "enrol its key");
  expect_refusal(statefs({"get", "/state/shared/a", "--server-key", std::string(64, '7')}), 1, "--server-key is not its key");
  expect_refusal(statefs({"get", "/state/shared/a", "--connect", "127.0.0.1:1"}), 1, "connection refused");
  ::chmod(dir_.path("client.key").c_str(), 0644);
  expect_refusal(statefs({"get", "/state/shared/a"}), 1, "chmod 600");
  expect_refusal(statefs({"get", "/state/shared/a", "--identity", dir_.path("none")}), 1, "no such file");
  expect_refusal(run({program("statefs"), "get", "/k"}), 1, "STATEFS_SERVER_KEY");
}

TEST_F(Programs, GiveUpInTimeOnADaemonThatHasStopped) {
  start();
  daemon_->signal(SIGSTOP);
  const RunResult result = statefs({"put", "/state/shared/c", "1", "--timeout", "300ms"});
  daemon_->signal(SIGCONT);
  expect_refusal(result, 1, "no connection");  // the handshake was not answered, so nothing was sent
  EXPECT_EQ(statefs({"get", "/state/shared/c"}).status, 2);
}

// A PUT is the second request behind HELLO: a session is opened first.
TEST_F(Programs, LearnTheOutcomeOfAChangeWhoseAnswerWasCutOffWithoutSendingItTwice) {
  start();
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  const test::CuttingProxy proxy(endpoint.value(), {1, 3, false});
  const RunResult result = statefs({"put", "/state/shared/once", "1", "--connect", to_text(proxy.endpoint())});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(proxy.cuts(), 1);
  EXPECT_EQ(audit_lines("\"/state/shared/once\"", 1), 1);
  EXPECT_EQ(statefs({"get", "/state/shared/once"}).out, "1");
}

TEST_F(Programs, ReportAnOutcomeThatCannotBeLearntInTimeAndNeverSendAChangeTwice) {
  start();
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  const test::CuttingProxy proxy(endpoint.value(), {1, 3, true});
  expect_refusal(statefs({"put", "/state/shared/once", "1", "--timeout", "1s", "--connect", to_text(proxy.endpoint())}), 5,
                 "outcome unknown");
  EXPECT_EQ(audit_lines("\"/state/shared/once\"", 1), 1);
  EXPECT_EQ(statefs({"get", "/state/shared/once"}).out, "1");
}

TEST_F(Programs, ReportDamageThatLastsAndGetOverDamageThatDoesNot) {
  start();
  ASSERT_EQ(statefs({"put", "/state/shared/d", "value"}).status, 0);
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  const auto through = [&](const test::CuttingProxy& proxy, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--timeout", "1s", "--connect", to_text(proxy.endpoint())});
    return statefs(arguments);
  };
  expect_refusal(through(test::CuttingProxy(endpoint.value(), {1000, 2, false, true}), {"get", "/state/shared/d"}), 8, "damaged");
  expect_refusal(through(test::CuttingProxy(endpoint.value(), {1000, 1, false, true}), {"get", "/state/shared/d"}), 8, "damaged");
  expect_refusal(through(test::CuttingProxy(endpoint.value(), {1000, 0, false, true}), {"get", "/state/shared/d"}), 8,
                 "is not what it says");
  const RunResult once = through(test::CuttingProxy(endpoint.value(), {1, 2, false, true}), {"get", "/state/shared/d"});
  EXPECT_EQ(once.status, 0) << once.err;
  EXPECT_EQ(once.out, "value");
}

TEST_F(Programs, TakeNumbersAsPlainDecimalDigitsOnly) {
  address_ = "127.0.0.1:1";
  for (const char* wrong :
       {"-1", "18446744073709551616", "99999999999999999999999", "0x10", "010", "00", "+1", " 1", "1 ", "1.0", "1e3", "", "x"}) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"put", "/k", "v", "--if-revision"},
                                                                                         {"del", "/k", "--if-revision"},
                                                                                         {"ls", "/k/", "--limit"},
                                                                                         {"bench", "put", "--connections"},
                                                                                         {"bench", "put", "--pipeline"},
                                                                                         {"bench", "put", "--value-size"},
                                                                                         {"bench", "put", "--seconds"},
                                                                                         {"bench", "put", "--keys"}}) {
      std::vector<std::string> arguments = command;
      arguments.emplace_back(wrong);
      expect_refusal(statefs(arguments), 1, "see 'statefs " + command.front() + " --help'");
      arguments = command;
      arguments.back() += "=" + std::string(wrong);
      expect_refusal(statefs(arguments), 1, "see 'statefs " + command.front() + " --help'");
    }
  }
  expect_refusal(statefs({"put", "/k", "v", "--if-revision", "18446744073709551615"}), 1, "cannot reach");
  expect_refusal(statefs({"ls", "/k/", "--limit", "0"}), 1, "cannot reach");
}

TEST_F(Programs, TakeOneVerbAndAnyWordBehindItAsAnArgument) {
  start();
  expect_refusal(statefs({"status", "sync"}), 1, "sync");
  expect_refusal(statefs({"sync", "get", "/state/shared/v"}), 1, "get");
  EXPECT_EQ(statefs({"put", "/state/shared/v", "sync"}).status, 0);
  EXPECT_EQ(statefs({"get", "/state/shared/v"}).out, "sync");
}

TEST_F(Programs, NameWhatIsWrongWhereItWasGiven) {
  start();
  expect_refusal(statefs({"put", "/state/shared/\xff", "1"}), 1, "put /state/shared/\\xff: INVALID_KEY: a key is 1 to 255 bytes");
  expect_refusal(statefs({"ls", "/state/shared/", "--cursor", "x"}), 1, "ls /state/shared/: INVALID_KEY: PREFIX must end");
  expect_refusal(statefs({"ls", "/state/boot/"}), 3,
                 "ls /state/boot/: EPERM: the policy of the server does not grant this peer list");
  expect_refusal(statefs({"bench", "put", "--prefix", "/state/shared"}), 1, "ends in '/'");
  expect_refusal(statefs({"policy", "check", "--bogus"}), 1, "see 'statefs policy check --help'");
  address_ = "nowhere";
  expect_refusal(statefs({"status"}), 1, "statefs: STATEFS_CONNECT 'nowhere'");
  expect_refusal(statefs({"status", "--connect", "elsewhere"}), 1, "statefs: --connect 'elsewhere'");
}

TEST_F(Programs, SayTheirVersionAsTheBuildDoes) {
  for (const char* name : {"statefs", "dsoftbusd"}) {
    const RunResult result = run({program(name), "--version"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, std::string(name) + " " + program_version + "\n");
    EXPECT_EQ(result.err, "");
  }
  EXPECT_THAT(test::read_file("CMakeLists.txt"), HasSubstr("project(statefs VERSION " + std::string(program_version) + " "));
}

TEST_F(Programs, RepeatAReadWhoseStreamBroke) {
  start();
  ASSERT_EQ(statefs({"put", "/state/shared/r", "value"}).status, 0);
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  const test::CuttingProxy proxy(endpoint.value(), {2, 2, false});
  const RunResult result = statefs({"get", "/state/shared/r", "--connect", to_text(proxy.endpoint())});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "value");
  EXPECT_EQ(proxy.cuts(), 2);
}

// By uid, as the local door of a daemon with this file judges.
TEST_F(Programs, CheckAPolicyForAProgramOfTheDevice) {
  const std::string policy = dir_.write("local.toml",
                                        "[[local]]\nuid = 1000\nrules = [ { grant = \"/state/app/\", access = [\"get\", \"put\"] } ]\n"
                                        "[[local]]\nuid = 0\nrules = [ { grant = \"/state/root/\", access = [\"get\"] } ]\n",
                                        0644);
  const auto verdict = [](std::vector<std::string> more, const std::string& op, const std::string& key) {
    more.insert(more.begin(), {program("statefs"), "policy", "check"});
    more.insert(more.end(), {"--op", op, "--key", key});
    return run(more);
  };
  const std::vector<std::string> app{"--policy", policy, "--uid", "1000"}, other{"--policy", policy, "--uid", "1001"};
  EXPECT_EQ(verdict(app, "put", "/state/app/x").status, 0);
  EXPECT_EQ(verdict(app, "put", "/state/shared/x").status, 3) << "a section says all that its uid may do";
  EXPECT_EQ(verdict(other, "get", "/state/app/x").status, 3) << "who is not named is not let in";
  EXPECT_EQ(verdict({"--policy", policy, "--uid", "1001", "--owner"}, "put", "/state/keystore/x").status, 0);
  EXPECT_EQ(verdict({"--policy", policy, "--uid", "1000", "--owner"}, "put", "/state/keystore/x").status, 3) << "its section counts";
  EXPECT_EQ(verdict({"--uid", "0"}, "put", "/state/keystore/x").status, 0) << "root, of a daemon without a policy file";
  EXPECT_EQ(verdict({"--policy", policy, "--uid", "0"}, "put", "/state/keystore/x").status, 3);
  EXPECT_EQ(verdict({"--uid", "0"}, "put", "/other/x").status, 3);
  EXPECT_THAT(verdict(app, "get", "/state/app//x").out, StartsWith("INVALID_KEY"));
  expect_refusal(verdict({"--uid", "1000", "--peer", "kitchen"}, "get", "/state/app/x"), 1, "--peer");
  expect_refusal(verdict({"--uid", "-1"}, "get", "/state/app/x"), 1, "is no decimal number");
  expect_refusal(verdict({"--owner"}, "get", "/state/app/x"), 1, "give --uid N");
}

TEST_F(Programs, CheckAPolicyWithTheJudgementOfTheServer) {
  const auto check = [](std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {program("statefs"), "policy", "check"});
    return run(arguments, input);
  };
  EXPECT_EQ(check({"--op", "put", "--key", "/state/shared/x"}).status, 0);
  EXPECT_THAT(check({"--op", "put", "--key", "/state/shared/x"}).out, StartsWith("OK"));
  EXPECT_EQ(check({"--op", "put", "--key", "/state/boot/x"}).status, 3);
  EXPECT_THAT(check({"--op", "list", "--key", "/state/shared"}).out, StartsWith("INVALID_KEY"));
  EXPECT_THAT(check({"--op", "get", "--key-hex", "2f73746174652f7368617265642f61"}).out, StartsWith("OK"));
  const std::string policy =
      dir_.write("p.toml", "[default]\nrules = [ { grant = \"/state/shared/\", access = [\"get\"] } ]\n", 0644);
  EXPECT_EQ(check({"--policy", policy, "--op", "put", "--key", "/state/shared/x"}).status, 3);
  EXPECT_EQ(check({"--policy", policy, "--op", "get", "--key", "/state/shared/x", "--peer", std::string(64, 'a')}).status, 0);

  const std::string named = dir_.write(
      "named.toml", "[[peer]]\nalias = \"kitchen\"\nrules = [ { grant = \"/state/shared/\", access = [\"put\"] } ]\n", 0644);
  const std::string kitchen(64, 'a');
  const std::string peers = dir_.write("p.peers", kitchen + " kitchen\n" + std::string(64, 'b') + " hall\n", 0644);
  const auto may_get = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--policy", named, "--op", "get", "--key", "/state/shared/x"});
    return check(more);
  };
  EXPECT_EQ(may_get({"--peer", "kitchen"}).status, 3);
  EXPECT_EQ(may_get({"--peer", "hall"}).status, 0);
  EXPECT_EQ(may_get({"--peer", kitchen, "--peers", peers}).status, 3);
  EXPECT_EQ(may_get({"--peer", "kitchen", "--peers", peers}).status, 3);
  EXPECT_EQ(may_get({"--peer", std::string(64, 'b'), "--peers", peers}).status, 0);
  expect_refusal(may_get({"--peer", kitchen}), 1, "give --peers FILE");
  expect_refusal(may_get({"--peer", "cellar", "--peers", peers}), 1, "is not in the peers file");
  expect_refusal(may_get({"--peer", "no alias"}), 1, "neither 64 hex digits nor an alias");

  const std::string lines =
      "put\t2f73746174652f7368617265642f61\nget\t2f73746174652f626f6f742f61\nDELETE\t\nlist\t2f73746174652f7368617265642f\nput\t2"
      "f" +
      std::string(2 * 255, '6') + "\r\nlist\t2f";
  const RunResult batch = check({"--batch"}, lines);
  EXPECT_EQ(batch.status, 0) << batch.err;
  EXPECT_EQ(batch.out, "OK\nACCESS_DENIED\nINVALID_KEY\nOK\nKEY_TOO_LONG\nACCESS_DENIED\n");
  EXPECT_EQ(check({"--batch"}, "").status, 0);
  for (const char* bad : {"put 2f\n", "fly\t2f\n", "put\t2\n", "\n", "put\t2f\textra\n"}) {
    const RunResult result = check({"--batch"}, std::string("put\t2f61\n") + bad);
    EXPECT_EQ(result.status, 1) << bad;
    EXPECT_THAT(result.err, HasSubstr("standard input:2")) << bad;
    EXPECT_EQ(result.out, "ACCESS_DENIED\n") << bad;
  }
}

TEST_F(Programs, AgreeWithTheKeyVectors) {
  const std::string vectors = test::read_file("../shared/vectors/keys.tsv");
  std::string input;
  std::string expected;
  std::size_t at = vectors.find('\n') + 1;
  while (!vectors.empty() && at < vectors.size()) {
    const auto end = vectors.find('\n', at);
    const std::string line = vectors.substr(at, end - at);
    const auto op = line.find('\t') + 1;
    const auto verdict = line.find('\t', op) + 1;
    const auto key = line.find('\t', verdict) + 1;
    input += line.substr(op, verdict - 1 - op) + "\t" + line.substr(key, line.find('\t', key) - key) + "\n";
    expected += line.substr(verdict, key - 1 - verdict) + "\n";
    at = end + 1;
  }
  // Where the vectors are not there, a line of our own keeps the comparison from being empty.
  input += "PUT\t2f73746174652f7368617265642f61\n";
  expected += "OK\n";
  const RunResult batch = run({program("statefs"), "policy", "check", "--batch"}, input);
  EXPECT_EQ(batch.status, 0) << batch.err;
  EXPECT_EQ(batch.out, expected);
}

}  // namespace
}  // namespace statefs
