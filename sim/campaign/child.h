// CHILD: a process of its own for work that may crash, with a pipe each way and what it writes to its standard streams.
//
//   guard.h, worker_pool.h -> CHILD -> how it ended, in words
//
// The child is a copy of this process, so work is a function. Nothing of it can reach the parent but through the pipes:
// a failed check, a sanitizer, a signal or a run without end is an end of the child alone. The parent owns the child: it
// is killed and waited for when the Child goes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include "core/bytes.h"

namespace statefs::sim {

// A file descriptor with one owner.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  void close();

 private:
  int number_;
};

// How a child ended. `outside`: by a signal that no bug of its own sends, such as SIGKILL where memory runs out.
struct ChildEnd {
  std::string text;  // `exit status 1`, `signal 6 (Aborted)`
  int status = 0;    // where it exited by itself, else -1
  bool outside = false;
};

class Child {
 public:
  // In the child: `commands` and `answers` are its ends of the pipes; what `work` returns is the exit status.
  using Work = std::function<int(int commands, int answers)>;
  enum class Streams { captured, inherited };  // of standard output and error

  Child() = default;  // none
  // A child that could not be started is not valid(), with errno as it was left.
  Child(const Work& work, Streams streams);
  Child(Child&&) noexcept = default;
  Child& operator=(Child&& other) noexcept;
  ~Child() { end(); }

  [[nodiscard]] bool valid() const { return pid_.value > 0; }
  [[nodiscard]] int answers() const { return answers_.number(); }
  [[nodiscard]] int output() const { return output_.number(); }
  [[nodiscard]] bool send(ByteView bytes) const;  // false: it is not there any more
  // Closes the pipes and waits until it has ended.
  ChildEnd wait();

 private:
  struct Pid {
    explicit Pid(pid_t number) : value(number) {}
    Pid(Pid&& other) noexcept : value(std::exchange(other.value, -1)) {}
    Pid& operator=(Pid&& other) noexcept { return value = std::exchange(other.value, -1), *this; }
    pid_t value;
  };
  void end();
  Pid pid_{-1};
  Descriptor commands_, answers_, output_;
};

// Reads once and appends; false at the end of the stream. Waits where nothing is there yet.
[[nodiscard]] bool read_some(int from, Bytes& to);
// False where the other side is gone. Waits until all is written.
[[nodiscard]] bool write_all(int to, ByteView bytes);

[[nodiscard]] bool is_terminal(std::FILE* file);

// From now on this process is ended by a signal once it has used this much more CPU time; zero: never.
void limit_cpu_seconds(std::uint32_t seconds);

}  // namespace statefs::sim
