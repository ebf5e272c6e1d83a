// CHILD: a program run by a test. It is waited for, and killed by its own process id if a test fails half-way; nothing
// here can outlive the test or hang it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/time.h"

namespace statefs::test {

struct RunResult {
  int status = -1;  // exit status, or 128 + signal; -1: it had to be killed
  std::string out;
  std::string err;
};

// Where the programs of this build are.
[[nodiscard]] std::string program(const std::string& name);

// Runs to the end. `environment` holds NAME=VALUE lines beside a PATH; nothing else is inherited.
[[nodiscard]] RunResult run(const std::vector<std::string>& arguments, const std::string& input = "",
                            const std::vector<std::string>& environment = {}, Duration limit = seconds(30));

// A program that goes on beside the test.
class Child {
 public:
  // Standard output and error go to files in `folder`, named `NAME.out` and `NAME.err`.
  Child(const std::vector<std::string>& arguments, const std::string& folder, const std::string& name);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  // Waits until standard output holds `text`; false when time is up or the program has ended without it.
  [[nodiscard]] bool wait_for(const std::string& text, Duration limit = seconds(20));
  void signal(int number) const;
  [[nodiscard]] bool running();
  // The status as in RunResult; kills it when time is up.
  int wait(Duration limit = seconds(20));
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::string out_path_;
  std::string err_path_;
  pid_t pid_ = -1;
  int status_ = -1;
  bool ended_ = false;
};

}  // namespace statefs::test
