// ls: the keys under a prefix, page by page.
#include <algorithm>
#include <variant>
#include <vector>

#include "core/limits.h"
#include "core/listing.h"
#include "os/hex.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

class Printer {
 public:
  Printer(Output output, bool details) : output_(output), details_(details) {}

  void add(const ListEntry& entry) {
    const std::string key(as_text(entry.key));
    if (output_ == Output::json) {
      text_ += count_ == 0 ? "\n" : ",\n";
      text_ += "{\"key\":" + json_string(key) + ",\"size\":" + std::to_string(entry.size) +
               ",\"revision\":" + std::to_string(entry.revision) + "}";
    } else {
      if (details_) text_ += std::to_string(entry.revision) + "\t" + std::to_string(entry.size) + "\t";
      text_ += (output_ == Output::hex ? to_hex(entry.key) : key) + "\n";
    }
    last_key_ = key;
    ++count_;
  }
  // Printed page by page: a listing has no bound, memory has.
  std::optional<Failure> flush() {
    if (output_ == Output::json && !begun_) text_.insert(0, "{\"entries\":[");
    begun_ = true;
    auto failure = print(text_);
    text_.clear();
    return failure;
  }
  std::optional<Failure> finish(bool has_more) {
    if (output_ == Output::json) {
      text_ += std::string("],\"has_more\":") + (has_more ? "true" : "false");
      if (has_more) text_ += ",\"cursor\":" + json_string(last_key_);
      text_ += "}\n";
    }
    return flush();
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::string& last_key() const { return last_key_; }

 private:
  Output output_;
  bool details_;
  bool begun_ = false;
  std::uint64_t count_ = 0;
  std::string last_key_;
  std::string text_;
};

}  // namespace

int run_list(const CommonOptions& common, const ListOptions& options) {
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  Printer printer(common.output, options.details);
  std::string cursor = options.cursor;
  for (;;) {
    ListRequest request;
    request.prefix = as_bytes(options.prefix);
    request.cursor = as_bytes(cursor);
    const std::uint64_t left = options.limit == 0 ? limits::list_entries_max : options.limit - printer.count();
    request.limit = static_cast<std::uint16_t>(std::min<std::uint64_t>(left, limits::list_entries_max));
    auto completion = remote.value().call("ls", options.prefix, request);
    if (!completion) return fail(completion.error());
    const Response& response = completion.value().response;
    const auto* answer = std::get_if<ListResponse>(&response.body);
    if (response.status != Status::ok || answer == nullptr) {
      return fail_refused("ls", options.prefix, response.status, retry_after_ms_of(response), common.output);
    }
    if (!is_page(*answer, options.prefix, cursor)) {
      return fail({Exit::failed, "ls " + printable(options.prefix) + ": the server gave keys that no listing has"});
    }
    for (const ListEntry& entry : answer->entries) printer.add(entry);
    const bool enough = options.limit != 0 && printer.count() >= options.limit;
    if (!answer->has_more || enough || answer->entries.empty()) {
      if (const auto failure = printer.finish(answer->has_more)) return fail(*failure);
      if (answer->has_more && common.output != Output::json) {
        complain("statefs",
                 "ls " + printable(options.prefix) + ": there is more: go on with --cursor " + printable(printer.last_key()));
      }
      return 0;
    }
    if (const auto failure = printer.flush()) return fail(*failure);
    cursor = printer.last_key();
  }
}

}  // namespace statefs::cli
