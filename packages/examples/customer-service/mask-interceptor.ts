/**
 * Masks inquiries before they leave the publishing process, so that personal data never reaches the
 * log.
 */
import type { Interceptor } from "@troupe/core";
import { inquirySchema } from "./inquiry.ts";
import { inquiries } from "./agents/topics.ts";
import { maskPii } from "./pii/mask-pii.ts";

export const maskInquiries: Interceptor = {
  publish: (call, next) => {
    if (call.address.name !== inquiries.name) return next(call);
    const inquiry = inquirySchema.parse(call.payload);
    return next({ ...call, payload: { ...inquiry, text: maskPii(inquiry.text).text } });
  },
};
