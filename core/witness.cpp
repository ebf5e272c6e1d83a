#include "core/witness.h"

#include <utility>
#include <variant>

namespace statefs {

void Witness::introduce(HelloRequest& request) const {
  request.store = seen_.store;
  request.epoch = seen_.epoch;
  request.head = seen_.head;
}

bool Witness::greeted(const HelloResponse& answer) {
  const bool has_seen = seen_.head.index != 0 && seen_.store == answer.store;
  const bool back = has_seen && (answer.comparison == HeadComparison::differs || answer.durable_index < seen_.head.index);
  if (back && !rollback_) rollback_ = Rollback{seen_, answer.epoch, answer.durable_index, answer.comparison};
  if (back || !has_seen) seen_ = {answer.store, answer.epoch, answer.head};
  else told(answer.epoch, answer.head);
  return back;
}

void Witness::heard(std::uint64_t epoch, const Response& answer) {
  if (const auto* mutation = std::get_if<MutationResponse>(&answer.body)) told(epoch, mutation->head);
  if (const auto* sync = std::get_if<SyncResponse>(&answer.body)) told(epoch, sync->head);
}

void Witness::told(std::uint64_t epoch, const AuditHead& head) {
  if (head.index > seen_.head.index) seen_ = {seen_.store, epoch, head};
}

std::optional<Rollback> Witness::take() { return std::exchange(rollback_, std::nullopt); }

}  // namespace statefs
