#include "os/text/inspection_text.h"

#include "os/text/text_values.h"

namespace statefs {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string_view name_of(HeadBlock::Is is) {
  switch (is) {
    case HeadBlock::Is::unreadable:
      return "unreadable";
    case HeadBlock::Is::zero:
      return "zero";
    case HeadBlock::Is::damaged:
      return "damaged";
    case HeadBlock::Is::whole:
      return "whole";
  }
  return {};
}

constexpr std::string_view head_names[] = {"superblock 0", "mark 0", "mark 1", "superblock 1"};

// The superblock that was believed, or would have been.
const Superblock* superblock_of(const Inspection& inspection) {
  const auto& first = inspection.head[0].superblock;
  const auto& second = inspection.head[3].superblock;
  if (!first && !second) return nullptr;
  if (!second || (first && first->sequence >= second->sequence)) return &*first;
  return &*second;
}

// The newest mark of that store: a mark of another is none.
const Mark* mark_of(const Inspection& inspection, const Superblock& superblock) {
  const Mark* newest = nullptr;
  for (const std::size_t i : {1u, 2u}) {
    const auto& mark = inspection.head[i].mark;
    if (mark && mark->store == superblock.store && (newest == nullptr || mark->sequence > newest->sequence)) newest = &*mark;
  }
  return newest;
}

std::string head_line(const Inspection& inspection, std::size_t i) {
  const HeadBlock& block = inspection.head[i];
  std::string line = std::string(head_names[i]) + " at byte " + number(block.offset) + ": " + std::string(name_of(block.is));
  if (block.superblock) line += ", sequence " + number(block.superblock->sequence);
  if (block.mark) {
    line += ", durable up to " + number(block.mark->durable.head.index) + ", exported up to " +
            number(block.mark->exported.head.index);
  }
  if (block.mark && superblock_of(inspection) != nullptr && block.mark->store != superblock_of(inspection)->store)
    line += ", of another store";
  if (block.is == HeadBlock::Is::damaged && inspection.whole()) {
    line += i == 0 || i == 3 ? ": the other is whole, and this one is written again when the store is opened"
                             : ": only the other says what is durable; this one is written again when the store is used";
  }
  return line;
}

std::string safe_line(const Inspection& inspection) {
  const RecoveryReport& report = inspection.all.report;
  std::string line;
  const bool has_log = report.damage == Damage::log || report.damage == Damage::change || report.damage == Damage::truncated;
  // A snapshot is good only with the log up to its end index.
  if (has_log && report.last.index > 0 && report.last.index >= inspection.all.store.superblock.end_index) {
    line = "the state as it was after record " + number(report.last.index) + " ('statefs dump')";
  } else if (report.damage == Damage::snapshot) {
    line = "what the snapshot's chunks before byte " + number(report.place) + " hold ('statefs dump')";
  }
  const RecoveryReport* const log = inspection.log ? &*inspection.log : &report;
  const bool has_records = log->record_count > 0 && (inspection.log || report.damage == Damage::log || report.damage == Damage::truncated);
  if (has_records) {
    line += (line.empty() ? "" : "; ") + number(log->record_count) + " records after " + number(log->before.index) + ", up to " +
            number(log->last.index) + " ('statefs audit query')";
  }
  if (line.empty()) return "nothing";
  if (report.damage == Damage::marks) line += "; nothing says whether there were more";
  return line;
}

std::string json_field(std::string_view name, std::uint64_t value) { return "\"" + std::string(name) + "\":" + number(value); }
std::string json_text(std::string_view name, std::string_view value) {
  return "\"" + std::string(name) + "\":\"" + std::string(value) + "\"";
}
std::string json_head(const AuditHead& head) {
  return "{" + json_field("index", head.index) + "," + json_text("hash", hex_of(head.hash)) + "}";
}

}  // namespace

std::string_view name_of(Damage damage) {
  switch (damage) {
    case Damage::none:
      return "nothing";
    case Damage::superblocks:
      return "both superblocks";
    case Damage::truncated:
      return "its size: the file is shorter than the store";
    case Damage::marks:
      return "the marks";
    case Damage::snapshot:
      return "the snapshot";
    case Damage::log:
      return "the log, which ends before what is known to be durable";
    case Damage::change:
      return "the log, a record of which contradicts those before it";
  }
  STATEFS_CHECK(false);
}

std::string_view verdict_of(const Inspection& inspection) {
  switch (inspection.all.report.found) {
    case Found::fresh:
      return "empty";
    case Found::recovered:
      return "whole";
    case Found::corrupt:
      return "damaged";
    case Found::foreign:
    case Found::unfit:
      return "no store";
    case Found::unreadable:
      return "unreadable";
    case Found::nothing_yet:
      break;
  }
  STATEFS_CHECK(false);
}

std::string finding_of(const Inspection& inspection) {
  const RecoveryReport& report = inspection.all.report;
  const std::string place = "at byte " + number(report.place);
  switch (report.found) {
    case Found::recovered:
      if (report.cut_size == 0) return {};
      return "cut at byte " + number(report.cut_place) + ": a record after " + number(report.last.index) +
             " was torn while it was written (" + number(report.cut_size) + " bytes); nobody was told that it was durable";
    case Found::corrupt: {
      std::string line = "damaged in " + std::string(name_of(report.damage)) + ", " + place;
      if (report.damage == Damage::log) {
        line += ": the record after " + number(report.last.index) + " is not whole, and " + number(report.required_index) +
                " was durable";
      }
      return line;
    }
    case Found::foreign:
      return "no superblock is whole, " + place + ": either this never was a store, or both copies are damaged";
    case Found::unfit:
      return "no store: it has " + number(inspection.file_size) + " bytes, fewer than the head of one";
    case Found::unreadable:
      return "cannot be read, " + place;
    case Found::fresh:
    case Found::nothing_yet:
      return {};
  }
  return {};
}

std::string check_text(const Inspection& inspection, std::string_view name) {
  std::string out = std::string(name) + ": " + std::string(verdict_of(inspection)) + "\n";
  if (const std::string finding = finding_of(inspection); !finding.empty()) out += finding + "\n";
  if (!inspection.whole()) out += "safe to read: " + safe_line(inspection) + "\n";
  const Superblock* const superblock = superblock_of(inspection);
  if (superblock == nullptr) return out;
  out += "store " + hex_of(superblock->store) + " of " + hex_of(superblock->node.bytes) + "\n";
  for (std::size_t i = 0; i < inspection.head.size(); ++i) out += head_line(inspection, i) + "\n";
  if (superblock->snapshot.size == 0) {
    out += "snapshot: none yet\n";
  } else {
    out += "snapshot at byte " + number(superblock->extent.slot_offset(superblock->snapshot.slot)) + ": up to " +
           number(superblock->start.head.index) + ", " + number(superblock->snapshot.entry_count) + " keys, " +
           number(superblock->snapshot.size) + " bytes\n";
  }
  const RecoveryReport& log = inspection.log ? *inspection.log : inspection.all.report;
  out += "log at byte " + number(superblock->extent.ring_offset()) + " of " + number(superblock->extent.ring_size) +
         " bytes: " + number(log.record_count) + " records after " + number(log.before.index) + ", up to " +
         number(log.last.index) + "\n";
  if (inspection.whole()) {
    const Entries& entries = inspection.all.store.state.entries;
    out += "state: " + number(entries.map().size()) + " keys, " + number(entries.value_bytes()) + " bytes of values\n";
  }
  return out;
}

std::string check_json(const Inspection& inspection) {
  const RecoveryReport& report = inspection.all.report;
  std::string out = "{" + json_text("verdict", verdict_of(inspection)) + "," + json_text("finding", finding_of(inspection));
  if (!inspection.whole()) out += "," + json_field("place", report.place) + "," + json_text("safe", safe_line(inspection));
  out += "," + json_field("cut_place", report.cut_size > 0 ? report.cut_place : 0) + "," +
         json_field("cut_size", report.cut_size) + ",\"head\":[";
  for (std::size_t i = 0; i < inspection.head.size(); ++i) {
    const HeadBlock& block = inspection.head[i];
    out += (i == 0 ? "{" : ",{") + json_text("name", head_names[i]) + "," + json_field("place", block.offset) + "," +
           json_text("is", name_of(block.is));
    if (block.mark)
      out += ",\"durable\":" + json_head(block.mark->durable.head) + ",\"exported\":" + json_head(block.mark->exported.head);
    if (block.superblock) out += "," + json_field("sequence", block.superblock->sequence);
    out += "}";
  }
  out += "]";
  if (const Superblock* const superblock = superblock_of(inspection)) {
    const RecoveryReport& log = inspection.log ? *inspection.log : report;
    const Mark* const mark = mark_of(inspection, *superblock);
    out += "," + json_text("store", hex_of(superblock->store)) + "," + json_text("node", hex_of(superblock->node.bytes)) + "," +
           json_field("snapshot_index", superblock->start.head.index) + "," +
           json_field("durable_index", mark == nullptr ? 0 : mark->durable.head.index) + "," +
           json_field("records", log.record_count) + "," + json_field("records_after", log.before.index) +
           ",\"last\":" + json_head(log.last);
  }
  if (inspection.whole()) {
    const Entries& entries = inspection.all.store.state.entries;
    out += "," + json_field("keys", entries.map().size()) + "," + json_field("value_bytes", entries.value_bytes());
  }
  return out + "}\n";
}

}  // namespace statefs
