// SELFTEST CALLS: one call of a check, and what was wrong with its answer, in words.
//
//   selftest.h checks -> SELFTEST CALLS -> client_stream.h
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "os/selftest.h"

namespace statefs::selftest {

// For those whose streams or servers are cut: it is noticed in a second, and what is away is asked for twice a second.
[[nodiscard]] ClientConfig impatient_config(const Subject& subject);
// A failure of the stream itself: no route, no enrolment, no answer.
[[nodiscard]] Failure explain(StreamFailure failure);
// `WHAT: got STATUS, not STATUS`.
[[nodiscard]] Failure differs(Kind kind, std::string_view what, Status got, Status wanted);

// A stream of a subject, and the first thing that went wrong on it. After a failure every call does nothing.
class Calls {
 public:
  explicit Calls(const Subject& subject);

  // Expects this status; anything else is a failure of `kind`.
  void expect(const RequestBody& request, std::string_view what, Status wanted, Kind kind = Kind::operation);
  // An answer OK with a body of this type; null where there was a failure.
  template <typename Body>
  [[nodiscard]] const Body* ask(const RequestBody& request, std::string_view what) {
    expect(request, what, Status::ok);
    if (failure_) return nullptr;
    const Body* body = std::get_if<Body>(&completion_->response.body);
    if (body == nullptr) fail(Kind::operation, std::string(what) + ": an answer of another kind");
    return body;
  }
  // A whole value of at most one request, compared with what was written.
  void expect_value(std::string_view key, ByteView wanted, std::uint64_t revision);
  // The key is on the page that key_prefix lists, with this revision and size.
  void expect_listed(std::string_view key, std::uint64_t revision, std::uint64_t size);
  void expect_absent(std::string_view key, Kind kind = Kind::operation);

  void fail(Kind kind, std::string reason);
  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  [[nodiscard]] const Verdict& verdict() const { return failure_; }
  [[nodiscard]] ClientStream& stream() { return stream_; }

 private:
  ClientStream stream_;
  std::optional<Completion> completion_;
  Verdict failure_;
};

[[nodiscard]] PutRequest put_of(std::string_view key, ByteView value, std::optional<std::uint64_t> expected = std::nullopt);
[[nodiscard]] GetRequest get_of(std::string_view key);
[[nodiscard]] DeleteRequest delete_of(std::string_view key, std::optional<std::uint64_t> expected = std::nullopt);
[[nodiscard]] std::string key_of(std::string_view name);  // under key_prefix

}  // namespace statefs::selftest
