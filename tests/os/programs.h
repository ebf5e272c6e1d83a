// PROGRAMS: a fixture with identities, a peers file, and dsoftbusd and statefs of this build over loopback.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/os/child.h"
#include "tests/os/temp_dir.h"

namespace statefs::test {

inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
inline long lines_in(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class Programs : public ::testing::Test {
 protected:
  void SetUp() override {
    server_key_ = keygen("server.key");
    const std::string client_key = keygen("client.key");
    dir_.write("peers", "# enrolled\n" + client_key + " phone\n", 0644);
  }
  std::string keygen(const std::string& name) {
    const RunResult made = run({program("statefs"), "keygen", dir_.path(name)});
    EXPECT_EQ(made.status, 0) << made.err;
    EXPECT_EQ(made.out.size(), 65u);
    return first_line(made.out);
  }
  std::vector<std::string> daemon_arguments(const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {program("dsoftbusd"),    "--listen", "127.0.0.1:0",      "--identity",
                                    dir_.path("server.key"), "--peers",  dir_.path("peers"), "--audit",
                                    dir_.path("audit.jsonl")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void start(const std::vector<std::string>& more = {}) {
    daemon_ = std::make_unique<Child>(daemon_arguments(more), dir_.path(""), "daemon");
    ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
    const std::string marker = "listening on ";
    const std::string out = daemon_->out();
    address_ = first_line(out.substr(out.find(marker) + marker.size()));
  }
  std::vector<std::string> environment() const {
    return {"STATEFS_CONNECT=" + address_, "STATEFS_SERVER_KEY=" + server_key_, "STATEFS_IDENTITY=" + dir_.path("client.key")};
  }
  RunResult statefs(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), program("statefs"));
    return run(arguments, input, environment());
  }
  // One line on stderr, nothing on stdout, and this status.
  static void expect_refusal(const RunResult& result, int status, const std::string& text) {
    EXPECT_EQ(result.status, status) << result.err;
    EXPECT_THAT(result.err, ::testing::HasSubstr(text));
    EXPECT_THAT(result.err, ::testing::EndsWith("\n"));
    EXPECT_EQ(lines_in(result.err), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }
  // The daemon ends with 1 and one line before it listens.
  void expect_daemon_refuses(const std::vector<std::string>& arguments, const std::string& text) {
    const RunResult result = run(arguments);
    expect_refusal(result, 1, text);
    EXPECT_THAT(result.err, ::testing::StartsWith("dsoftbusd: "));
  }
  // Lines of the exported audit that hold `text`; so many are waited for, because they are written beside the answers.
  long audit_lines(const std::string& text, long wanted = 0) const {
    for (int tries = 0;; ++tries) {
      const std::string all = read_file(dir_.path("audit.jsonl"));
      long count = 0;
      for (std::size_t at = 0; all.find('\n', at) != std::string::npos; at = all.find('\n', at) + 1) {
        count += all.substr(at, all.find('\n', at) - at).find(text) != std::string::npos ? 1 : 0;
      }
      if (count >= wanted || tries == 500) return count;
      ::usleep(10'000);
    }
  }

  TempDir dir_;
  std::string server_key_;
  std::string address_;
  std::unique_ptr<Child> daemon_;
};

}  // namespace statefs::test
