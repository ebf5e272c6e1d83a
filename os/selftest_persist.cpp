// persist: writes until the server loses its power, each to a key of its own, so that each can be looked for afterwards.
#include <map>
#include <vector>

#include "os/client_loop.h"
#include "os/clock.h"
#include "os/problem.h"
#include "os/selftest_calls.h"

namespace statefs::selftest {
namespace {

constexpr std::size_t in_flight_max = 4;
constexpr std::size_t writes_between_syncs = 40;
constexpr Duration pace = milliseconds(4);  // between two writes, so that a round can be read back

enum class Told { in_flight, done, synced, unknown, lost, perhaps_lost };
struct Write {
  Told told = Told::in_flight;
  std::uint64_t index = 0, revision = 0;
};

class PersistRound {
 public:
  PersistRound(const Subject& subject, unsigned round, LoadCount& count)
      : subject_(subject), loop_(subject.suite, subject.identity, impatient_config(subject), subject.endpoint),
        prefix_(key_of("persist/" + std::to_string(round) + "/")), count_(count) {}

  Verdict run(Duration patience) {
    const Time until = read_monotonic() + patience;
    if (auto failure = load(until)) return failure;
    while (!waiting_.empty()) {  // what the cut left open is settled by the server that is back
      if (read_monotonic() >= until) return Failure{Kind::exactly_once, "what became of a call was not told in time"};
      if (auto failure = step()) return failure;
    }
    return compare();
  }

 private:
  [[nodiscard]] std::string key_at(std::size_t number) const { return prefix_ + std::to_string(number); }

  // Until the server is there with another epoch than at first.
  Verdict load(Time until) {
    Time next_write = read_monotonic();
    std::size_t until_sync = writes_between_syncs;
    for (;;) {
      const Time now = read_monotonic();
      if (now >= until) return Failure{Kind::network, "the server did not go away and come back in time"};
      const auto& hello = loop_.client().server_hello();
      if (hello && epoch_ == 0) epoch_ = hello->epoch;
      if (hello && hello->epoch != epoch_) return std::nullopt;
      if (waiting_.size() < in_flight_max && now >= next_write) {
        if (!write(until, now)) return Failure{Kind::operation, "the client does not take a call"};
        next_write = now + pace;
        if (--until_sync == 0 && epoch_ != 0) {
          (void)loop_.client().submit(SyncRequest{epoch_}, until, now);
          until_sync = writes_between_syncs;
        }
      }
      if (auto failure = step()) return failure;
    }
  }

  bool write(Time deadline, Time now) {
    const std::size_t number = writes_.size();
    const std::string key = key_at(number);  // and the value: it says which write it is of
    const auto call = loop_.client().submit(put_of(key, as_bytes(key)), deadline, now);
    if (!call) return false;
    writes_.emplace_back();
    numbers_[call.value()] = number;
    waiting_[call.value()] = number;
    return true;
  }

  Verdict step() {
    const auto completion = loop_.next(pace);
    Verdict failure = completion ? take(*completion) : std::nullopt;
    while (const auto lost = loop_.client().take_lost()) {
      const auto found = numbers_.find(lost->call);
      if (found == numbers_.end()) return Failure{Kind::exactly_once, "a write was reported as lost that was never made"};
      Write& write = writes_[found->second];
      if (write.told == Told::synced) return Failure{Kind::persistence, key_at(found->second) + ": SYNC covered it, and it is lost"};
      if (write.told != Told::done) return Failure{Kind::exactly_once, "a write was reported as lost that was not answered"};
      write.told = lost->certain ? Told::lost : Told::perhaps_lost;
    }
    return failure;
  }

  Verdict take(const Completion& completion) {
    const auto found = waiting_.find(completion.call);
    if (found == waiting_.end()) return take_sync(completion);
    Write& write = writes_[found->second];
    waiting_.erase(found);
    if (completion.result == CallResult::outcome_unknown) {
      write.told = Told::unknown;
      return std::nullopt;
    }
    if (completion.result == CallResult::timed_out) return Failure{Kind::network, "PUT: no answer in time"};
    const auto* answer = std::get_if<MutationResponse>(&completion.response.body);
    if (completion.response.status != Status::ok || answer == nullptr) {
      return differs(Kind::operation, "PUT", completion.response.status, Status::ok);
    }
    write = {Told::done, answer->index, answer->revision};
    return std::nullopt;
  }

  // A SYNC of the epoch that is over fails, and says nothing.
  Verdict take_sync(const Completion& completion) {
    const auto* answer = std::get_if<SyncResponse>(&completion.response.body);
    if (completion.result != CallResult::answered || answer == nullptr) return std::nullopt;
    if (completion.response.status != Status::ok || answer->epoch != epoch_) return std::nullopt;
    for (Write& write : writes_) {
      if (write.told == Told::done && write.index <= answer->durable_index) write.told = Told::synced;
    }
    return std::nullopt;
  }

  Verdict compare() {
    Calls reader(subject_);
    for (std::size_t number = 0; number < writes_.size(); ++number) {
      const Write& write = writes_[number];
      const std::string key = key_at(number);
      switch (write.told) {
        case Told::in_flight: return Failure{Kind::exactly_once, key + ": never answered"};
        case Told::done:
        case Told::synced: reader.expect_value(key, as_bytes(key), write.revision); break;
        case Told::lost: reader.expect_absent(key, Kind::persistence); break;
        case Told::unknown:
        case Told::perhaps_lost: break;
      }
      if (reader.failed()) return Failure{Kind::persistence, reader.verdict()->reason};
      count_.operations += write.told != Told::unknown ? 1 : 0;
      count_.synced += write.told == Told::synced ? 1 : 0;
      count_.lost += write.told == Told::lost || write.told == Told::perhaps_lost ? 1 : 0;
      count_.unknown += write.told == Told::unknown ? 1 : 0;
    }
    count_.reconnects += loop_.link().ends();
    return std::nullopt;
  }

  const Subject& subject_;
  ClientLoop loop_;
  std::string prefix_;
  LoadCount& count_;
  std::vector<Write> writes_;
  std::map<CallId, std::size_t> numbers_, waiting_;  // of writes: all, and those without a completion
  std::uint64_t epoch_ = 0;                          // that the round began in
};

}  // namespace

Verdict run_persist_round(const Subject& subject, unsigned round, Duration patience, LoadCount& count) {
  return PersistRound(subject, round, count).run(patience);
}

}  // namespace statefs::selftest
