# The printed values of tests/score/test_relocation.py. Run: Rscript relocation.R > relocation.json
# Package: survival (survfit of several states). Its std.err takes no notice of cluster=; the influence of each episode
# (infinitesimal jackknife), which it returns, is summed by site here. Times are hours.
library(survival)

num <- function(x) paste0("[", paste(ifelse(is.na(x), "null", formatC(x, digits = 17, format = "g")), collapse = ","), "]")
txt <- function(x) paste0("[", paste0('"', x, '"', collapse = ","), "]")
at <- c(168, 720)

report <- function(name, d) {
  d$id <- seq_len(nrow(d))
  any <- factor(ifelse(d$end %in% c("DE", "FR"), "relocated", d$end), c("censored", "removed", "relocated"))
  fit <- survfit(Surv(t, any) ~ 1, data = d, id = id, influence = TRUE)
  each <- survfit(Surv(t, factor(end, c("censored", "removed", "DE", "FR"))) ~ 1, data = d, id = id)
  k <- which(fit$states == "relocated")
  p <- summary(fit, times = at, extend = TRUE)$pstate[, k]
  influence <- fit$influence.pstate[, findInterval(at, fit$time) + 1, k]  # the first column is the start
  se <- sqrt(colSums(rowsum(influence, d$site)^2))
  width <- qnorm(0.975) * se / (p * log(p))  # log(-log), as in survfit_confint
  e <- summary(each, times = at, extend = TRUE)$pstate
  cat(sprintf('"%s": {\n"t":%s,\n"end":%s,\n"site":%s,\n', name, num(d$t), txt(d$end), num(d$site)))
  cat('"p":', num(p), ',\n"se":', num(se), ',\n', sep = "")
  cat('"low":', num(exp(-exp(log(-log(p)) - width))), ',\n"high":', num(exp(-exp(log(-log(p)) + width))), ',\n', sep = "")
  cat('"DE":', num(e[, which(each$states == "DE")]), ',\n"FR":', num(e[, which(each$states == "FR")]), '\n}', sep = "")
}

ties <- data.frame(
  t = c(1, 2, 2, 2, 3, 5, 5, 8, 8, 30, 30, 100, 168, 169, 400, 600, 720, 800),
  end = c("removed", "DE", "removed", "censored", "FR", "DE", "DE", "removed", "FR", "censored", "removed", "DE",
          "FR", "DE", "censored", "FR", "removed", "DE"),
  site = c(1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6))
set.seed(3)
many <- local({
  n <- 200
  site <- sample(1:12, n, TRUE, prob = (1:12)^2)
  data.frame(t = round(rexp(n, 1 / (20 * site)), 2), site = site,
             end = sample(c("removed", "DE", "FR", "censored"), n, TRUE, prob = c(5, 2, 1, 2)))
})
all_gone <- data.frame(t = c(1, 2, 3, 4, 4), end = c("DE", "removed", "FR", "removed", "DE"), site = c(1, 1, 2, 3, 3))
cat("{\n"); report("ties", ties); cat(",\n"); report("many", many); cat(",\n"); report("all_gone", all_gone); cat("\n}\n")
